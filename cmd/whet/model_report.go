package main

import "github.com/spf13/cobra"

func newModelReportCommand(std *stdio) *cobra.Command {
	return &cobra.Command{Use: "report"}
}
