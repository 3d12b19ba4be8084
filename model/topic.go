package model

import "strings"

// CommunityOf returns the community that a topic's id begins with, "" for an id that is none of a topic. It says so without a
// look at anything that is stored: what is said in a topic may reach a device before the news of the topic itself.
func CommunityOf(id string) string {
	community, name, is := strings.Cut(id, TopicMark)
	if !is || name == "" {
		return ""
	}
	return community
}
