package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"timbre/model/tim"
	"timbre/model/usersig"
	"timbre/protocol"
	"timbre/server/operator"
)

// broadcast says something in all live rooms of an app, through a running server.
type broadcast struct{ url, app, data, from, text, message string }

func broadcastCommand() *cobra.Command {
	var b broadcast
	c := &cobra.Command{Use: "broadcast", Short: "Say something in all live rooms of an app", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			answer, err := b.send()
			if err == nil {
				fmt.Fprintln(c.OutOrStdout(), answer)
			}
			return err
		}}
	f := c.Flags()
	f.StringVar(&b.url, "url", "http://127.0.0.1:7800", "the server")
	f.StringVar(&b.app, "app", "", "app id, or ID:SECRET; default: the app in the data folder")
	f.StringVar(&b.data, "data", "timbred-data", "data folder of the server that made the app")
	f.StringVar(&b.from, "from", operator.Administrator, "user who says it")
	f.StringVar(&b.text, "text", "", "what is said")
	f.StringVar(&b.message, "message", "", "or a whole message as JSON, with message_elem_array")
	return c
}

// broadcastTime is how long the server may take.
const broadcastTime = 30 * time.Second

func (b *broadcast) send() (answer string, err error) {
	id, secret, err := findSecret(b.app, b.data)
	if err != nil {
		return "", err
	}
	body := []byte(b.message)
	switch {
	case (b.text == "") == (b.message == ""):
		return "", errors.New("want either --text or --message")
	case b.text != "":
		body = protocol.Marshal(map[string]any{tim.KeyMsgSender: b.from,
			tim.KeyMsgElemArray: []any{map[string]any{tim.KeyElemType: tim.ElemText, tim.KeyTextElemContent: b.text}}})
	}
	r, err := http.NewRequest(http.MethodPost, b.url+"/admin/broadcast?app="+strconv.FormatUint(id, 10), bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	r.Header.Set("Authorization", "Bearer "+usersig.Make(id, secret, operator.Administrator, time.Now(), time.Minute))
	a, err := (&http.Client{Timeout: broadcastTime}).Do(r)
	if err != nil {
		return "", err
	}
	defer a.Body.Close()
	text, err := io.ReadAll(io.LimitReader(a.Body, 1<<10))
	if err == nil && a.StatusCode != http.StatusOK {
		err = fmt.Errorf("the server says: %s", bytes.TrimSpace(text))
	}
	return strings.TrimSpace(string(text)), err
}
