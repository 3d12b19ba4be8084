package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"timbre/model"
	"timbre/model/usersig"
	"timbre/server/config"
	"timbre/server/store"
)

func userSigCommand() *cobra.Command {
	var app, user, data string
	var expire time.Duration
	c := &cobra.Command{
		Use: "usersig", Short: "Print a UserSig, the ticket with which a user logs in", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			id, secret, err := findSecret(app, data)
			if err != nil {
				return err
			}
			if !model.ValidUserID(user) {
				return fmt.Errorf("user %q: want 1 to %d printable ASCII characters", user, model.MaxUserID)
			}
			fmt.Fprintln(c.OutOrStdout(), usersig.Make(id, secret, user, time.Now(), expire))
			return nil
		},
	}
	c.Flags().StringVar(&app, "app", "", "app id, or ID:SECRET; default: the app in the data folder")
	c.Flags().StringVar(&user, "user", "", "user id")
	c.Flags().StringVar(&data, "data", "timbred-data", "data folder of the server that made the app")
	c.Flags().DurationVar(&expire, "expire", 24*time.Hour, "how long the ticket is valid")
	return c
}

// findSecret takes the secret from ID:SECRET, or from the data folder for the app with that id or any.
func findSecret(app, data string) (uint64, string, error) {
	if id, secret, err := config.ParseApp(app); err == nil {
		return id, secret, nil
	}
	secrets, err := (&config.Config{Data: data}).Secrets()
	if err != nil {
		return 0, "", fmt.Errorf("no secret given and none in the data folder: %w", err)
	}
	for id, secret := range secrets {
		if app == "" || app == strconv.FormatUint(id, 10) {
			return id, secret, nil
		}
	}
	return 0, "", fmt.Errorf("the data folder has another app; give --app ID:SECRET")
}

// renewEpochCommand is for a database that came out of a backup.
func renewEpochCommand() *cobra.Command {
	var data string
	c := &cobra.Command{
		Use: "renew-epoch", Short: "Make all clients synchronise from scratch, after a backup was restored",
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			s, err := store.Open(store.Config{Dir: data})
			if err != nil {
				return err
			}
			defer s.Close()
			return s.RenewEpoch(context.Background())
		},
	}
	c.Flags().StringVar(&data, "data", "timbred-data", "data folder of the server, which must not be running")
	return c
}
