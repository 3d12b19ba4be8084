package config

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"timbre/model"
	"timbre/model/tim"
	"timbre/server/group"
	"timbre/server/live"
)

// Group is the settings of groups: the points on which the documents of the interface contradict each other, or on which
// other interfaces have other rules. docs/groups.md shows what they change.
type Group struct {
	GroupRate         int      `koanf:"group_rate"`
	GroupOwnerMayQuit bool     `koanf:"group_owner_may_quit"`
	GroupHistory      []string `koanf:"group_history"`
	GroupTips         []string `koanf:"group_tips"`
	GroupConsent      []string `koanf:"group_consent"`
	GroupOptionTips   bool     `koanf:"group_option_tips"`
	GroupTexts        string   `koanf:"group_texts"`
	Communities       bool     `koanf:"communities"`
	CommunityInvites  bool     `koanf:"community_invites"`
	LiveAdmins        bool     `koanf:"live_admins"`
	LiveSingle        bool     `koanf:"live_single"`
	LiveHistory       int      `koanf:"live_history"`
	LiveMembers       int      `koanf:"live_members"`
}

const shortTexts, longTexts = "short", "long"

func groupFlags(f *pflag.FlagSet) {
	d := group.DefaultRules()
	f.Int("group-rate", d.Rate, "messages a second in one group, beyond which they are dropped; 0: no limit")
	f.Bool("group-owner-may-quit", d.OwnerMayQuit, "the owner of any group may quit, and another member takes his place")
	f.StringSlice("group-history", typeNames(d.HistoryTypes), "types of groups in which newcomers see what was said before: work, public, meeting, community")
	f.StringSlice("group-tips", typeNames(d.TipTypes), "types of groups that say who comes and goes: work, public, meeting, avchatroom, community")
	f.StringSlice("group-consent", typeNames(d.ConsentTypes), "types of groups into which nobody is brought by others before he has agreed")
	f.Bool("group-option-tips", d.OptionTips, "groups say when their options change and when everybody is muted")
	f.String("group-texts", longTexts, "longest name, introduction, notification and face of a group in bytes: short (30, 240, 300, 100) or long (100, 400, 400, 500)")
	f.Bool("communities", d.Communities, "there may be communities")
	f.Bool("community-invites", d.CommunityInvites, "members of a community may invite others")
	f.Bool("live-admins", d.LiveAdmins, "live rooms may have admins")
	f.Bool("live-single", d.LiveSingle, "a device is in one live room at a time")
	f.Int("live-history", d.LiveHistory, "newest messages of a live room that whoever joins gets; 0: none")
	f.Int("live-members", d.LiveMembers, "newest members of a live room that can be listed")
}

// maxLiveHistory bounds what a live room keeps in memory.
const maxLiveHistory = 200

// Groups returns the rules for groups.
func (c *Config) Groups() (group.Rules, error) {
	r := group.Rules{Rate: c.GroupRate, GroupSwitches: model.GroupSwitches{OwnerMayQuit: c.GroupOwnerMayQuit,
		OptionTips: c.GroupOptionTips, LongTexts: c.GroupTexts == longTexts, Communities: c.Communities,
		CommunityInvites: c.CommunityInvites, LiveAdmins: c.LiveAdmins, LiveSingle: c.LiveSingle, LiveHistory: c.LiveHistory,
		LiveMembers: c.LiveMembers}}
	var wrong [3]error
	r.HistoryTypes, wrong[0] = typesNamed("group_history", c.GroupHistory)
	r.TipTypes, wrong[1] = typesNamed("group_tips", c.GroupTips)
	r.ConsentTypes, wrong[2] = typesNamed("group_consent", c.GroupConsent)
	switch {
	case c.GroupTexts != shortTexts && c.GroupTexts != longTexts:
		return r, fmt.Errorf("group_texts is %q, and neither short nor long", c.GroupTexts)
	case c.LiveHistory < 0 || c.LiveHistory > maxLiveHistory:
		return r, fmt.Errorf("live_history is %d, and not between 0 and %d", c.LiveHistory, maxLiveHistory)
	}
	return r, errors.Join(wrong[:]...)
}

// Live returns the settings of live rooms under some rules.
func Live(r *group.Rules) live.Config {
	c := live.Defaults()
	c.History, c.Members, c.Single = r.LiveHistory, r.LiveMembers, r.LiveSingle
	rules, _ := r.GroupSwitches.Rules(tim.GroupAVChatRoom)
	c.Tips = rules.MemberTips
	return c
}

func typeNames(types []int) (names []string) {
	for _, t := range types {
		rules, _ := model.RulesOf(t)
		names = append(names, strings.ToLower(rules.Name))
	}
	return names
}

// typesNamed reads a list of types; the environment gives it as one text with commas.
func typesNamed(setting string, names []string) (types []int, err error) {
	for _, name := range strings.Split(strings.Join(names, ","), ",") {
		if name = strings.ToLower(strings.TrimSpace(name)); name == "" {
			continue
		}
		t, ok := typeNamed(name)
		if !ok {
			return nil, fmt.Errorf("%s: there is no type of groups %q", setting, name)
		}
		types = append(types, t)
	}
	return types, nil
}

func typeNamed(name string) (int, bool) {
	for _, t := range model.GroupTypes() {
		if rules, _ := model.RulesOf(t); strings.ToLower(rules.Name) == name {
			return t, true
		}
	}
	return tim.GroupPublic, false
}
