// Command dns is CoreDNS with only the plugins that a cluster's name service needs.
//
// There is no forward plugin on purpose: a name outside the cluster is not found, so no query leaves the machine.
package main

import (
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/coremain"

	_ "github.com/coredns/coredns/plugin/cache"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/health"
	_ "github.com/coredns/coredns/plugin/kubernetes"
	_ "github.com/coredns/coredns/plugin/ready"
)

// Directives fixes the order in which plugins see a query; those not named here would be ignored.
func init() { dnsserver.Directives = []string{"ready", "health", "errors", "cache", "kubernetes"} }

func main() { coremain.Run() }
