package face

import (
	"github.com/tidwall/gjson"

	"timbre/core/client"
	"timbre/model/tim"
)

// directCalls answer at once and have no callback.
var directCalls = map[tim.Op]func(*Face, *call) int64{
	tim.OpTIMInit:           (*Face).init,
	tim.OpTIMUninit:         (*Face).uninit,
	tim.OpTIMGetServerTime:  (*Face).serverTime,
	tim.OpTIMGetLoginStatus: (*Face).loginStatus,
	tim.OpTIMGetLoginUserID: (*Face).loginUser,

	tim.OpTIMExtNotifyNetworkChanged: (*Face).networkChanged,
}

// ConfigServer and ConfigKeepTrying are keys of this library beyond the interface.
const (
	ConfigServer     = "ext_sdk_config_server_url"
	ConfigKeepTrying = "ext_set_config_keep_trying"
)

// init begins a client's life. A second one before TIMUninit changes nothing.
func (f *Face) init(c *call) int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.closed, f.leaving: // TIMUninit is running on another thread, or around this callback
		return tim.ResultErrSDKUninit
	case f.client != nil:
		return tim.ResultSucc
	}
	f.lines.Store(int64(f.queue.Generation()))
	cfg := gjson.Parse(c.text(1))
	f.settings.Change(func(v *client.Values) {
		v.LogFolder, v.DataFolder = "timbre_log", "timbre_data"
		if p := cfg.Get(tim.KeySdkConfigLogFilePath).String(); p != "" {
			v.LogFolder = p
		}
		if p := cfg.Get(tim.KeySdkConfigConfigFilePath).String(); p != "" {
			v.DataFolder = p
		}
		v.InitServer = cfg.Get(ConfigServer).String()
		v.Retention = retention(cfg, ConfigKeepDays, ConfigMaxBytes)
		v.OperatorServer, v.ServerCA = f.host.Getenv("TIM_SERVER_URL"), f.host.Getenv("TIM_SERVER_CA")
	})
	if err := f.log.Open(f.settings.Get().LogFolder); err != nil {
		f.logger.Error("the log folder cannot be used", "err", err)
	}
	f.queue.Pin()
	f.logger.Info("TIMInit", "app", uint64(c.number(0)), "version", client.Version, "server", f.settings.ServerURL(), "ui", f.settings.Get().UIPlatform)
	f.client = client.New(client.Config{AppID: uint64(c.number(0)), Settings: f.settings,
		Sink: sink{f, f.queue.Generation()}, Log: f.logger})
	return tim.ResultSucc
}

func (f *Face) uninit(c *call) int64 {
	f.end(c.inside, false)
	return tim.ResultSucc
}

// Close ends the face for good, with TIMUninit if that was not called: from now on calls are refused, and when it returns
// no callback runs any more. inside says that the caller is inside one of this face's callbacks. If TIMUninit is running
// around that callback, it ends the face instead, after Close has returned.
func (f *Face) Close(inside bool) { f.end(inside, true) }

// end ends the client's life: pending calls are answered, callbacks drain, then nothing of this life calls back. Without a
// client there is only something to do for good: answers to calls before TIMInit may wait.
func (f *Face) end(inside, forGood bool) {
	f.mu.Lock()
	for f.leaving && !inside { // a second caller may not go on while the first still runs callbacks
		f.left.Wait()
	}
	f.closed = f.closed || forGood
	cl := f.client
	if f.leaving || cl == nil && !forGood {
		f.mu.Unlock()
		return
	}
	f.leaving = true
	for f.inside > 0 { // none of them waits for a callback, so this is short
		f.left.Wait()
	}
	f.mu.Unlock()
	if cl != nil {
		cl.Close()
	}
	dropped := f.queue.Drain(drainTime, inside)
	if dropped > 0 {
		f.logger.Warn("TIMUninit: callbacks were dropped, the host was busy for too long", "dropped", dropped)
	}
	if cl != nil {
		f.logger.Info("TIMUninit")
	}
	f.log.Close()
	f.mu.Lock()
	f.client, f.leaving = nil, false
	f.left.Broadcast()
	f.mu.Unlock()
}

func (f *Face) serverTime(*call) int64 {
	if cl := f.current(); cl != nil {
		return cl.Now().Unix()
	}
	return 0
}

func (f *Face) loginStatus(*call) int64 {
	if cl := f.current(); cl != nil {
		return int64(cl.Status())
	}
	return tim.LoginStatusUnLogined
}

func (f *Face) loginUser(c *call) int64 {
	user := ""
	if cl := f.current(); cl != nil {
		user = cl.User()
	}
	c.args[0].Out(user)
	return tim.ResultSucc
}
