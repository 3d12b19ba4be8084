package face

import (
	"github.com/tidwall/gjson"

	"timbre/core/client"
	"timbre/core/event"
	"timbre/core/message"
	"timbre/model/tim"
)

// mediaHandlers is files, mergers, searching and language.
var mediaHandlers = map[tim.Op]handler{
	tim.OpTIMMsgDownloadElemToPath: {run: download},
	tim.OpTIMMsgDownloadMergerMessage: {run: func(c *call) {
		c.online(func(a *client.Account) { a.Messages.OpenMerger(gjson.Parse(c.text(0)), c.done) })
	}},
	tim.OpTIMMsgBatchSend: {early: batchEarly, run: batchSend},
	tim.OpTIMMsgSearchLocalMessages: {run: func(c *call) {
		c.searching(func(a *client.Account, s message.Search) { a.Messages.Search(s, c.done) })
	}},
	tim.OpTIMMsgSearchCloudMessages: {run: func(c *call) {
		c.searching(func(a *client.Account, s message.Search) { a.Messages.SearchCloud(s, c.done) })
	}},
	tim.OpTIMMsgTranslateText: {run: func(c *call) {
		c.online(func(a *client.Account) {
			a.Messages.Translate(texts(gjson.Parse(c.text(0))), c.text(1), c.text(2), c.done)
		})
	}},
	tim.OpTIMMsgConvertVoiceToText: {run: func(c *call) {
		c.online(func(a *client.Account) { a.Messages.Transcribe(c.text(0), c.text(1), c.done) })
	}},
}

func (c *call) searching(then func(*client.Account, message.Search)) {
	s, bad := message.ParseSearch(c.text(0))
	if bad != nil {
		c.fail(bad.Code, bad.Text)
		return
	}
	c.cached(func(a *client.Account) { then(a, s) })
}

// downloading is the description of the calls that tell the progress.
const downloading = "downloading"

func download(c *call) {
	p := gjson.Parse(c.text(0))
	c.online(func(a *client.Account) {
		a.Messages.Download(p.Get(tim.KeyMsgDownloadElemParamId).String(), p.Get(tim.KeyMsgDownloadElemParamUrl).String(), c.text(1),
			func(json string) {
				if !c.used.Load() {
					c.post(len(c.args)-2, event.Num(0), event.Text(downloading), event.Text(json))
				}
			}, c.done)
	})
}

func batchEarly(c *call) int32 {
	msg := gjson.Get(c.text(0), tim.KeyMsgBatchSendParamMsg)
	if _, err := message.Elements(msg.Raw); err != nil {
		return tim.ResultErrJSON
	}
	if !gjson.Get(c.text(0), tim.KeyMsgBatchSendParamIdentifierArray).IsArray() {
		return tim.ResultErrJSON
	}
	return 0
}

func batchSend(c *call) {
	p := gjson.Parse(c.text(0))
	users := texts(p.Get(tim.KeyMsgBatchSendParamIdentifierArray))
	if len(users) == 0 || len(users) > message.MaxBatch {
		c.fail(tim.ErrInvalidParameters, "1 to 500 users are needed")
		return
	}
	c.withAccount(func(a *client.Account) { a.Messages.SendMany(users, p.Get(tim.KeyMsgBatchSendParamMsg).Raw, c.done) })
}
