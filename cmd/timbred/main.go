// Command timbred is the Timbre server. docs/operations.md explains how to run it.
package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"
)

// version is set by the build.
var version = "development"

func main() {
	root := &cobra.Command{Use: "timbred", Short: "The Timbre messaging server", SilenceUsage: true, SilenceErrors: true}
	root.CompletionOptions.DisableDefaultCmd = true
	root.AddCommand(serveCommand(), userSigCommand(), renewEpochCommand(), broadcastCommand(), &cobra.Command{
		Use: "version", Short: "Print the version", Args: cobra.NoArgs,
		Run: func(c *cobra.Command, _ []string) { fmt.Fprintln(c.OutOrStdout(), version) },
	})
	if err := root.Execute(); err != nil {
		fmt.Fprintln(os.Stderr, "timbred:", err)
		os.Exit(1)
	}
}
