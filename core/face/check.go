package face

import (
	"timbre/core/strictjson"
	"timbre/model/tim"
)

// check holds the arguments against the function's table: a negative code refuses the call at once.
func (c *call) check() int32 {
	if len(c.args) != len(c.fn.Params) {
		return tim.ResultErrParam
	}
	for i := range c.fn.Params {
		p := &c.fn.Params[i]
		if (p.Kind == tim.KindText || p.Kind == tim.KindOut) && c.args[i].Null && !p.Optional {
			return tim.ResultErrParam
		}
	}
	for i := range c.fn.Params {
		if c.fn.Params[i].JSON != tim.NotJSON && !c.args[i].Null {
			if code := c.checkJSON(i); code != 0 {
				return code
			}
		}
	}
	return 0
}

// checkJSON replaces a text by its strict form.
func (c *call) checkJSON(i int) int32 {
	p := &c.fn.Params[i]
	given := c.args[i].Text
	if given == "" && p.Optional {
		return 0
	}
	text, err := strictjson.Normalise(given)
	if err != nil || !shaped(text, p.JSON) {
		return c.badJSON(p)
	}
	if len(text) == 2 && p.Empty != 0 { // {} or []
		return p.Empty
	}
	if c.raw == nil {
		c.raw = map[int]string{}
	}
	c.raw[i], c.args[i].Text = given, text
	return 0
}

func (c *call) badJSON(p *tim.Param) int32 {
	switch {
	case p.Bad == 0:
		return tim.ResultErrJSON
	case p.Bad < 0:
		return p.Bad
	}
	c.late = p.Bad
	return 0
}

func shaped(text string, shape tim.JSONShape) bool {
	switch shape {
	case tim.Array:
		return text[0] == '['
	case tim.Either:
		return text[0] == '[' || text[0] == '{'
	}
	return text[0] == '{'
}

// state says whether the client has come as far as the function needs, 0 if so.
func (c *call) state() (int, string) {
	if c.fn.State == tim.StateAny {
		return 0, ""
	}
	if c.client == nil {
		return tim.ErrSDKNotInitialized, "not initialized"
	}
	if c.fn.State == tim.StateInit {
		return 0, ""
	}
	a := c.client.Account()
	online := a != nil && a.Online
	if c.fn.State == tim.StateCache && a != nil || online {
		return 0, ""
	}
	return tim.ErrSDKNotLoggedIn, "not logged in"
}

// opened says whether a user's database is open, logged in or not yet.
func (c *call) opened() bool { return c.client != nil && c.client.Account() != nil }
