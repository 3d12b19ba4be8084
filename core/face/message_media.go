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
	tim.OpTIMMsgDownloadElemToPath: {opening: tim.ErrInvalidParameters, run: download},
	tim.OpTIMMsgDownloadMergerMessage: {run: func(c *call) {
		c.online(func(a *client.Account) { a.Messages.OpenMerger(gjson.Parse(c.text(0)), c.done) })
	}},
	tim.OpTIMMsgBatchSend: {run: batchSend},
	tim.OpTIMMsgSearchLocalMessages: {run: func(c *call) {
		c.searching(func(a *client.Account, s message.Search) { a.Messages.Search(s, c.done) })
	}},
	tim.OpTIMMsgSearchCloudMessages: {opening: tim.ErrInvalidParameters, run: func(c *call) {
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

func batchSend(c *call) {
	p := gjson.Parse(c.text(0))
	users := texts(p.Get(tim.KeyMsgBatchSendParamIdentifierArray))
	if _, err := message.Elements(p.Get(tim.KeyMsgBatchSendParamMsg).Raw); err != nil {
		c.fail(tim.ErrInvalidParameters, err.Error())
		return
	}
	if len(users) == 0 || len(users) > message.MaxBatch {
		c.fail(tim.ErrInvalidParameters, "1 to 500 users are needed")
		return
	}
	c.withAccount(func(a *client.Account) { a.Messages.SendMany(users, p.Get(tim.KeyMsgBatchSendParamMsg).Raw, c.done) })
}
