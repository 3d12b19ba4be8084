package face

import (
	"net"
	"strconv"
	"time"

	"github.com/tidwall/gjson"

	"timbre/core/client"
	"timbre/core/transport"
	"timbre/model/tim"
	"timbre/protocol"
)

var experimentalHandlers = map[tim.Op]handler{
	tim.OpCallExperimentalAPI: {early: knownOperation, run: experimental},
}

// operation does one experimental operation: it answers with what stands in the response beside the operation's name,
// or with an error.
type operation func(c *call, param gjson.Result) (response map[string]any, bad *transport.Error)

// operations is every name of the interface; nil is one that is not built.
var operations = map[string]operation{
	tim.KeyInternalOperationSSOData:                         nil,
	tim.KeyInternalOperationUserId2TinyId:                   tinyIDs,
	tim.KeyInternalOperationTinyId2UserId:                   userIDs,
	tim.KeyInternalOperationSetEnv:                          setEnvironment,
	tim.KeyInternalOperationSetIPv6Prior:                    nil,
	tim.KeyInternalOperationSetMaxRetryCount:                setRetries,
	tim.KeyInternalOperationSetPacketRequestTimeout:         setTimeout,
	tim.KeyInternalOperationSetCustomServerInfo:             setServer,
	tim.KeyInternalOperationEnableQuicChannel:               nil,
	tim.KeyInternalOperationSetSM4GCMCallback:               nil,
	tim.KeyInternalOperationInitLocalStorage:                openStorage,
	tim.KeyInternalOperationSetCosSaveRegionForConversation: nil,
	tim.KeyInternalOperationSetUIPlatform:                   setUIPlatform,
	tim.KeyInternalOperationSetDatabaseEncryptInfo:          encryptDatabase,
	tim.KeyInternalOperationIsCommercialAbilityEnabled:      ability,
	tim.KeyInternalOperationSetOfflinePushState:             nil,
	tim.KeyInternalOperationGetOfflinePushState:             nil,
	tim.KeyInternalOperationGetMessageRevoker:               messageRevokers,
	tim.KeyInternalOperationWriteLog:                        writeLog,
	tim.KeyInternalOperationClearLocalHistoryMessage:        clearLocal,
	tim.KeyInternalOperationUpdateProxyInfo:                 updateProxy,
	tim.KeyInternalOperationReportTUIComponentUsage:         nil,
	tim.KeyInternalOperationSendTRTCCustomData:              nil,
	tim.KeyInternalOperationSendRoomCustomData:              nil,
	tim.KeyInternalOperationSetApplicationID:                nil,
	tim.KeyInternalOperationGetServerConfig:                 nil,
	tim.KeyInternalOperationSetIgnoreRepeatLogin:            ignoreRepeatLogin,
	tim.KeyInternalOperationStartMessageLongPolling:         watchLive,
	tim.KeyInternalOperationStopMessageLongPolling:          unwatchLive,
	tim.KeyInternalOperationFindMergerMessages:              findMerged,
	tim.KeyInternalOperationGetBriefGroupMemberList:         briefMembers,
}

// knownOperation refuses an unknown operation at once.
func knownOperation(c *call) int32 {
	if _, known := operations[gjson.Get(c.text(0), tim.KeyRequestInternalOperation).String()]; !known {
		return tim.ResultErrJSON
	}
	return 0
}

func experimental(c *call) {
	request := gjson.Parse(c.text(0))
	name := request.Get(tim.KeyRequestInternalOperation).String()
	do := operations[name]
	if do == nil {
		c.fail(tim.ErrSDKInterfaceNotSupport, "not built yet")
		return
	}
	work := func() {
		response, bad := do(c, request)
		if bad != nil {
			c.fail(bad.Code, bad.Text)
			return
		}
		if response == nil {
			response = map[string]any{}
		}
		response[tim.KeyResponseInternalOperation] = name
		c.done(0, "", string(protocol.Marshal(response)))
	}
	if c.client != nil {
		c.apart(work) // some operations ask the server
		return
	}
	work()
}

func invalid(text string) *transport.Error {
	return &transport.Error{Code: tim.ErrInvalidParameters, Text: text}
}

// setServer names the server for the next connection: the first address of the long connections.
func setServer(c *call, r gjson.Result) (map[string]any, *transport.Error) {
	address := r.Get(tim.KeyRequestSetCustomServerInfoParam).Get(tim.KeyCustomServerInfoLongConnectionAddressArray + ".0")
	host, port := address.Get(tim.KeyServerAddressIp).String(), address.Get(tim.KeyServerAddressPort).Int()
	if host == "" || port <= 0 || port > 65535 {
		return nil, invalid("an address with ip and port is needed")
	}
	c.face.settings.Change(func(v *client.Values) {
		v.Server = "ws://" + net.JoinHostPort(host, strconv.FormatInt(port, 10))
	})
	return nil, nil
}

func openStorage(c *call, r gjson.Result) (map[string]any, *transport.Error) {
	if c.client == nil {
		return nil, &transport.Error{Code: tim.ErrSDKNotInitialized, Text: "not initialized"}
	}
	return nil, c.client.OpenCache(r.Get(tim.KeyRequestInitLocalStorageParam).String())
}

func setRetries(c *call, r gjson.Result) (map[string]any, *transport.Error) {
	c.face.settings.Change(func(v *client.Values) { v.Retries = int(r.Get(tim.KeyRequestSetMaxRetryCountParam).Uint()) })
	return nil, nil
}

// setTimeout takes seconds.
func setTimeout(c *call, r gjson.Result) (map[string]any, *transport.Error) {
	seconds := r.Get(tim.KeyRequestSetPacketRequestTimeoutParam).Uint()
	if seconds == 0 || seconds > 24*3600 {
		return nil, invalid("a number of seconds is needed")
	}
	c.face.settings.Change(func(v *client.Values) { v.Timeout = time.Duration(seconds) * time.Second })
	return nil, nil
}

// setEnvironment changes nothing: the server's address alone says which environment it is.
func setEnvironment(_ *call, r gjson.Result) (map[string]any, *transport.Error) {
	on, bad := flag(r, tim.KeyRequestSetEnvParam)
	return map[string]any{tim.KeyResponseSetEvnRes: on}, bad
}

func ignoreRepeatLogin(c *call, r gjson.Result) (map[string]any, *transport.Error) {
	on, bad := flag(r, tim.KeyRequestSetIgnoreRepeatLoginParam)
	if bad == nil {
		c.face.settings.Change(func(v *client.Values) { v.IgnoreRepeatLogin = on })
	}
	return nil, bad
}

// flag reads a parameter that must be true or false.
func flag(r gjson.Result, key string) (on bool, bad *transport.Error) {
	v := r.Get(key)
	if !v.IsBool() {
		return false, invalid(key + " must be true or false")
	}
	return v.Bool(), nil
}

// updateProxy lets the proxies of TIMSetConfig count at once. Before TIMInit there is nothing to connect anew.
func updateProxy(c *call, _ gjson.Result) (map[string]any, *transport.Error) {
	if c.client != nil {
		c.client.ProxyChanged()
	}
	return nil, nil
}

func setUIPlatform(c *call, r gjson.Result) (map[string]any, *transport.Error) {
	c.face.settings.Change(func(v *client.Values) { v.UIPlatform = r.Get(tim.KeyRequestSetUIPlatformParam).String() })
	return nil, nil
}

// ability says that everything is enabled: there are no paid plans here.
func ability(*call, gjson.Result) (map[string]any, *transport.Error) {
	return map[string]any{tim.KeyCommercialAbilityResultEnabled: true}, nil
}

func writeLog(c *call, r gjson.Result) (map[string]any, *transport.Error) {
	level := int(r.Get(tim.KeyRequestWriteLogLogLevelParam).Int())
	where := r.Get(tim.KeyRequestWriteLogFileNameParam).String() + ":" + r.Get(tim.KeyRequestWriteLogLineNumberParam).String() +
		" " + r.Get(tim.KeyRequestWriteLogFuncNameParam).String()
	c.face.log.Write(level, time.Now(), where+" "+r.Get(tim.KeyRequestWriteLogLogContentParam).String())
	return nil, nil
}

func tinyIDs(c *call, r gjson.Result) (map[string]any, *transport.Error) {
	return numbers(c, tim.KeyResponseUserId2TinyIdRes, protocol.Users{Names: texts(r.Get(tim.KeyRequestUserId2TinyIdParam))})
}

func userIDs(c *call, r gjson.Result) (map[string]any, *transport.Error) {
	var q protocol.Users
	for _, n := range r.Get(tim.KeyRequestTinyId2UserIdParam).Array() {
		q.TinyIDs = append(q.TinyIDs, n.Uint())
	}
	return numbers(c, tim.KeyResponseTinyId2UserIdRes, q)
}

func numbers(c *call, key string, q protocol.Users) (map[string]any, *transport.Error) {
	if c.client == nil {
		return nil, &transport.Error{Code: tim.ErrSDKNotInitialized, Text: "not initialized"}
	}
	a := c.client.Account()
	if a == nil || !a.Online {
		return nil, &transport.Error{Code: tim.ErrSDKNotLoggedIn, Text: "not logged in"}
	}
	if len(q.Names)+len(q.TinyIDs) == 0 {
		return nil, invalid("an array of users is needed")
	}
	found, bad := a.Users.Numbers(q)
	if bad != nil {
		return nil, bad
	}
	list := make([]map[string]any, len(found))
	for i, p := range found {
		list[i] = map[string]any{tim.KeyUserInfoUserId: p.User, tim.KeyUserInfoTinyId: p.TinyID}
	}
	return map[string]any{key: list}, nil
}
