package main

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"timbre/model"
	"timbre/server/config"
)

// reason says for each setting why there is one, and the value that the page shows the difference for.
type reason struct{ why, value string }

var reasons = map[string]reason{
	"group_rate":           {"How busy a group may get depends on its machine.", ""},
	"group_owner_may_quit": {"The interface's owner must hand a group over first; JMessage's owner may simply leave.", "true"},
	"group_history":        {"The documents let each type see earlier messages or not, by a switch; the header gives them to Meeting only.", "work,public,meeting,community"},
	"group_tips":           {"Meeting groups are silent by default; the documents have a switch for every type.", "work,public,meeting,avchatroom,community"},
	"group_option_tips":    {"Off in the documents, with a switch.", "true"},
	"group_consent":        {"The interface has requests that the invited decides, and no option for them: an invitation that is not for approval by admins brings in at once.", "work"},
	"group_texts":          {"The header and older documents give short limits, newer releases long ones.", "short"},
	"communities":          {"The documents' service has them only when they are turned on; without them creating one answers 11000.", ""},
	"community_invites":    {"One document lets members of a community invite, another one has it forbidden.", "false"},
	"live_admins":          {"The interface has none in live rooms; JMessage's chat rooms have them.", "true"},
	"live_single":          {"IMCloud's devices are in one room at a time, the interface's in several. Who joins another room leaves the first one.", ""},
	"live_history":         {"The documents give newcomers none by default, and up to 20 messages by a switch.", ""},
	"live_members":         {"The documents list the newest 1,000 or 30 of the audience.", ""},
}

func newFlags() *pflag.FlagSet {
	f := pflag.NewFlagSet("", pflag.ContinueOnError)
	config.Flags(f)
	return f
}

// settings is the part on what an operator can change.
func settings(b *strings.Builder) error {
	b.WriteString("\n## What an operator can change\n\n")
	b.WriteString("Settings of `timbred` (docs/operations.md). They hold for all groups, those that exist, too.\n")
	head(b, "setting", []string{"default", "meaning", "why there is one"})
	var effects strings.Builder
	fields := reflect.VisibleFields(reflect.TypeFor[config.Group]())
	for _, field := range fields {
		name := field.Tag.Get("koanf")
		flag, r := newFlags().Lookup(strings.ReplaceAll(name, "_", "-")), reasons[name]
		if flag == nil || r.why == "" {
			return fmt.Errorf("the setting %q has no flag, or nothing says why it exists", name)
		}
		fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", name, strings.Trim(flag.DefValue, "[]"), flag.Usage, r.why)
		if err := effect(&effects, name, r.value); err != nil {
			return err
		}
	}
	if extra := len(reasons) - len(fields); extra != 0 {
		return fmt.Errorf("%d settings are explained that do not exist", extra)
	}
	b.WriteString("\nWhat they change in the tables above:\n\n" + effects.String())
	return nil
}

// effect says what a setting changes in the tables.
func effect(b *strings.Builder, name, value string) error {
	if value == "" {
		return nil
	}
	flags := newFlags()
	if err := flags.Set(strings.ReplaceAll(name, "_", "-"), value); err != nil {
		return err
	}
	changed, err := switchesOf(flags)
	if err != nil {
		return err
	}
	standard := model.DefaultGroupSwitches()
	list := merged(differences(&standard, &changed))
	if len(list) > 0 {
		fmt.Fprintf(b, "- `%s: %s`\n  - %s\n", name, value, strings.Join(list, "\n  - "))
	}
	return nil
}

// merged joins lines that say the same of several types.
func merged(lines []string) (list []string) {
	var order []string
	types := map[string][]string{}
	for _, line := range lines {
		name, what, _ := strings.Cut(line, ", ")
		if !slices.Contains(order, what) {
			order = append(order, what)
		}
		types[what] = append(types[what], name)
	}
	for _, what := range order {
		list = append(list, strings.Join(types[what], ", ")+" – "+what)
	}
	return list
}
