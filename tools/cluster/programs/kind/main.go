// Command kind is kind, and one thing more: `kind check-config FILE` parses a cluster configuration as `kind create cluster` would.
package main

import (
	"errors"
	"fmt"
	"os"

	"sigs.k8s.io/kind/cmd/kind/app"
	"sigs.k8s.io/kind/pkg/cluster"
)

// unknown is a configuration that kind's parser refuses. It ends the creation of a cluster after the file was parsed and before
// any container engine is asked.
var unknown = []byte("kind: Cluster\napiVersion: none\n")

// check returns what kind's strict parser says about the configuration file.
func check(file string) error {
	provider := cluster.NewProvider()
	stop := provider.Create("unused", cluster.CreateWithRawConfig(unknown))
	if stop == nil {
		return errors.New("kind accepted a configuration of an unknown version")
	}
	// kind applies its options in order: the file's own error comes first, else that of the unknown configuration.
	err := provider.Create("unused", cluster.CreateWithConfigFile(file), cluster.CreateWithRawConfig(unknown))
	if err != nil && err.Error() == stop.Error() {
		return nil
	}
	return err
}

func main() {
	if len(os.Args) == 3 && os.Args[1] == "check-config" {
		if err := check(os.Args[2]); err != nil {
			fmt.Fprintf(os.Stderr, "kind: %s: %v\n", os.Args[2], err)
			os.Exit(1)
		}
		return
	}
	app.Main()
}
