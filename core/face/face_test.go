package face

import (
	"encoding/json"
	"os"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"timbre/core/event"
	"timbre/model/tim"
)

// counter is a host that counts how often each callback of each call ran. fn is the parameter's position plus one.
type counter struct {
	t  testing.TB
	mu sync.Mutex
	n  map[[2]uint64]int // user data, fn
	// last is the newest code and text by user data.
	code map[uint64]int32
	text map[uint64]string
}

func newCounter(t testing.TB) *counter {
	return &counter{t: t, n: map[[2]uint64]int{}, code: map[uint64]int32{}, text: map[uint64]string{}}
}

func (c *counter) Getenv(name string) string { return os.Getenv(name) }

func (c *counter) Invoke(cb tim.Callback, fn, userData uint64, args []event.Arg) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n[[2]uint64{userData, fn}]++
	params := cb.Type().Params
	if len(args) != len(params) {
		c.t.Errorf("%s was given %d arguments, want %d", cb, len(args), len(params))
		return
	}
	for i, a := range args {
		if params[i] == tim.KindText && !utf8.ValidString(a.Text) {
			c.t.Errorf("%s was given bytes that are not UTF-8: %q", cb, a.Text)
		}
	}
	if cb == tim.CallbackTIMCommCallback {
		c.code[userData], c.text[userData] = int32(args[0].Num), args[2].Text
	}
}

func (c *counter) count(userData uint64, param int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n[[2]uint64{userData, uint64(param) + 1}]
}

// arguments makes the arguments of a call. Texts that are missing are NULL.
func arguments(fn *tim.Function, userData uint64, texts ...string) []Value {
	args := make([]Value, len(fn.Params))
	for i, p := range fn.Params {
		switch p.Kind {
		case tim.KindText:
			args[i].Null = len(texts) == 0
			if len(texts) > 0 {
				args[i].Text, texts = texts[0], texts[1:]
			}
		case tim.KindOut:
			args[i].Out = func(string) {}
		case tim.KindCallback:
			args[i].Num = uint64(i) + 1
		case tim.KindUserData:
			args[i].Num = userData
		}
	}
	return args
}

// start calls TIMInit with folders of the test and a server that is not there.
func start(t testing.TB, f *Face, dir string) {
	t.Helper()
	config, err := json.Marshal(map[string]string{tim.KeySdkConfigLogFilePath: dir, tim.KeySdkConfigConfigFilePath: dir})
	if err != nil {
		t.Fatal(err)
	}
	fn := tim.OpTIMInit.Function()
	if r := f.Call(tim.OpTIMInit, arguments(fn, 0, string(config)), false); r != tim.ResultSucc {
		t.Fatalf("TIMInit returned %d", r)
	}
}

func noServer(t testing.TB) { t.Setenv("TIM_SERVER_URL", "ws://127.0.0.1:9") }

func TestInitTwice(t *testing.T) {
	noServer(t)
	f := New(newCounter(t), 0)
	dir := t.TempDir()
	start(t, f, dir)
	start(t, f, dir)
	if r := f.Call(tim.OpTIMUninit, nil, false); r != tim.ResultSucc {
		t.Errorf("TIMUninit returned %d", r)
	}
	if r := f.Call(tim.OpTIMUninit, nil, false); r != tim.ResultSucc {
		t.Errorf("a second TIMUninit returned %d", r)
	}
}

// TestStates calls every function in the states that need no server: -4 for what is missing, then the state's code.
func TestStates(t *testing.T) {
	noServer(t)
	host := newCounter(t)
	f := New(host, 0)
	word := uint64(100)
	all := func(code int32) {
		t.Helper()
		for _, fn := range tim.Functions() {
			if fn.Setter || len(fn.Params) == 0 || fn.Op == tim.OpTIMInit {
				continue
			}
			word++
			r := f.Call(fn.Op, arguments(&fn, word), false)
			f.queue.Idle()
			required := false
			for _, p := range fn.Params {
				required = required || p.Kind == tim.KindText && !p.Optional
			}
			called := host.count(word, len(fn.Params)-2)
			switch {
			case required && (r != tim.ResultErrParam || called != 0):
				t.Errorf("%s with NULL returned %d and called back %d times", fn.Name, r, called)
			case !required && r == 0 && fn.State == tim.StateLogin && len(host.code) > 0 && called == 1:
				if got, ok := host.code[word]; ok && got != code {
					t.Errorf("%s answered %d, want %d", fn.Name, got, code)
				}
			}
		}
	}
	all(tim.ErrSDKNotInitialized)
	start(t, f, t.TempDir())
	all(tim.ErrSDKNotLoggedIn)
	f.Call(tim.OpTIMUninit, nil, false)
	all(tim.ErrSDKNotInitialized)
}

func TestEchoIsRepaired(t *testing.T) {
	host := newCounter(t)
	f := New(host, 0)
	for in, want := range map[string]string{
		"{ \"a\" : 1 }": "{ \"a\" : 1 }", "{\"a\":\"\xff\"}": "{\"a\":\"\uFFFD\"}", "{ \"a\":\"\n\"}": `{"a":"\u000a"}`,
	} {
		if r := f.Call(tim.OpTIMSetConfig, arguments(tim.OpTIMSetConfig.Function(), 1, in), false); r != 0 {
			t.Fatalf("%q: %d", in, r)
		}
		f.queue.Idle()
		if got := host.text[1]; got != want {
			t.Errorf("%q came back as %q, want %q", in, got, want)
		}
	}
}

// TestLogAfterUninit: no event reaches the host after TIMUninit.
func TestLogAfterUninit(t *testing.T) {
	noServer(t)
	host := newCounter(t)
	f := New(host, 0)
	f.Call(tim.OpTIMSetLogCallback, []Value{{Num: 1}, {Num: 5}}, false)
	for range 3 {
		start(t, f, t.TempDir())
		f.Call(tim.OpTIMUninit, nil, false)
		before := host.count(5, 0)
		if before == 0 {
			t.Error("no line came before TIMUninit")
		}
		f.logger.Error("a late line")
		f.queue.Idle()
		if n := host.count(5, 0) - before; n != 0 {
			t.Errorf("%d lines came after TIMUninit", n)
		}
	}
}

// FuzzCall runs a program of calls against a face: it never panics, a call that returned 0 calls back exactly once, at the
// latest when TIMUninit has returned, and no other call does. The first byte is the state: before TIMInit, after it, with
// the local database open.
func FuzzCall(f *testing.F) {
	if err := os.Setenv("TIM_SERVER_URL", "ws://127.0.0.1:9"); err != nil {
		f.Fatal(err)
	}
	f.Add([]byte{0, 11, '{', '}', 0, 47, 'b', 'o', 'b', 0, '{', '}'})
	for i := range tim.Functions() {
		op := byte(i)
		f.Add([]byte{op, op, 'b', 'o', 'b', 0, '{', '"', 'a', '"', ':', '[', ']', '}', 0, '[', '"', 'x', '"', ']'})
	}
	message := `{"message_elem_array":[{"elem_type":0,"text_elem_content":"x"}]}`
	for _, op := range []tim.Op{tim.OpTIMMsgSendMessage, tim.OpTIMMsgSendNewMsg, tim.OpTIMMsgSendNewMsgEx, tim.OpTIMMsgSaveMsg} {
		f.Add([]byte("\x02" + string([]byte{byte(op)}) + "bob\x00" + message))
	}
	f.Fuzz(runProgram)
}

func runProgram(t *testing.T, program []byte) {
	if len(program) < 2 || strings.Contains(string(program), "proxy") || strings.Contains(string(program), "_log") {
		return // no connections to anywhere, no files elsewhere, no lines on the console
	}
	host := newCounter(t)
	f := New(host, 0)
	state := program[0] % 3
	if state > 0 {
		f.Call(tim.OpTIMSetConfig, arguments(tim.OpTIMSetConfig.Function(), 1,
			`{"set_config_user_config":{"user_config_is_disable_storage":true},"set_config_log_level":0}`), false)
		start(t, f, t.TempDir())
	}
	if state > 1 {
		f.Call(tim.OpCallExperimentalAPI, arguments(tim.OpCallExperimentalAPI.Function(), 2,
			`{"request_internal_operation":"internal_operation_init_local_storage","request_init_local_storage_user_id_param":"alice"}`), false)
	}
	type made struct {
		fn     *tim.Function
		result int64
	}
	var calls []made
	rest := program[1:]
	for len(rest) > 0 && len(calls) < 20 {
		op := tim.Op(rest[0])
		rest = rest[1:]
		if !op.Valid() || op == tim.OpTIMInit || op == tim.OpTIMUninit || op == tim.OpTIMGetSDKVersion {
			continue
		}
		fn := op.Function()
		args := arguments(fn, 1000+uint64(len(calls)))
		for i, p := range fn.Params {
			switch p.Kind {
			case tim.KindText:
				args[i].Text, rest = next(rest)
				args[i].Null = args[i].Text == "\x01"
			case tim.KindNumber:
				var text string
				text, rest = next(rest)
				for _, c := range []byte(text) {
					args[i].Num = args[i].Num*256 + uint64(c)
				}
			}
		}
		calls = append(calls, made{fn, f.Call(op, args, false)})
	}
	f.Call(tim.OpTIMUninit, nil, false)
	f.queue.Idle()
	for i, c := range calls {
		last := len(c.fn.Params) - 2
		if c.fn.Setter || last < 0 || c.fn.Params[last].Kind != tim.KindCallback {
			continue
		}
		want := 0
		if c.result == tim.ResultSucc {
			want = 1
		}
		if got := host.count(1000+uint64(i), last); got != want {
			t.Errorf("%s returned %d and called back %d times", c.fn.Name, c.result, got)
		}
	}
}

// next takes the bytes up to a 0.
func next(program []byte) (string, []byte) {
	for i, b := range program {
		if b == 0 {
			return string(program[:i]), program[i+1:]
		}
	}
	return string(program), nil
}
