// Command kind is kind with an additional command: `kind check-config FILE` parses a cluster configuration like `kind create cluster`.
package main

import (
	"errors"
	"fmt"
	"os"

	"sigs.k8s.io/kind/cmd/kind/app"
	"sigs.k8s.io/kind/pkg/cluster"
)

// unknown is a configuration that kind's parser rejects. It stops the creation of a cluster after the file is parsed, before kind
// calls a container engine.
var unknown = []byte("kind: Cluster\napiVersion: none\n")

// check returns the error of kind's strict parser for the configuration file.
func check(file string) error {
	provider := cluster.NewProvider()
	stop := provider.Create("unused", cluster.CreateWithRawConfig(unknown))
	if stop == nil {
		return errors.New("kind accepted a configuration of an unknown version")
	}
	// kind applies its options in order: an error in the file comes first, otherwise that of the unknown configuration.
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
