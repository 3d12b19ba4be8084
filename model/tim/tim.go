// Package tim holds the names, numbers and shapes of the public interface: its functions and callback types, the JSON
// keys, the enumerations and the error codes. All but this file is generated from api/*.yaml, and no other Go package
// spells any of these names.
//
// Names are derived from the C ones: kTIMMsgElemArray is KeyMsgElemArray, kTIMConv_C2C is ConvC2C, TIM_ERR_JSON is
// ResultErrJSON, ERR_SDK_NOT_LOGGED_IN is ErrSDKNotLoggedIn, TIMLogin is OpTIMLogin. Each constant carries its C name in
// a comment, so a search for either finds it.
package tim

// Op is the number of an exported function: its position in the catalogue.
type Op int

// Kind says how a parameter crosses the C boundary.
type Kind uint8

const (
	KindText     Kind = iota // const char*, read by the library
	KindOut                  // char*, a buffer of the caller that the library fills
	KindNumber               // an integer, an enumeration or a bool
	KindCallback             // a function pointer
	KindUserData             // the caller's opaque word
)

// JSONShape says what a text parameter must hold.
type JSONShape uint8

const (
	NotJSON JSONShape = iota
	Object
	Array
	Either // an object or an array
)

// State is what the client must have reached before a function can do its work.
type State uint8

const (
	StateAny   State = iota // works before TIMInit as well
	StateInit               // after TIMInit
	StateLogin              // a user is logged in
	StateCache              // the local database of a user is open, logged in or not yet
)

// Param is a parameter of a function. A negative code in it is returned at once; a positive one comes through the
// callback, after the state has been looked at.
type Param struct {
	Name     string
	Kind     Kind
	Optional bool // NULL is accepted
	JSON     JSONShape
	Bad      int32    // the code for JSON that cannot be parsed, 0: ResultErrJSON
	Empty    int32    // the code for an empty object or array, 0: accepted
	Callback Callback // the type, for KindCallback
}

// Function describes an exported function.
type Function struct {
	Op          Op
	Name        string
	Params      []Param
	State       State
	EmptyResult string // the JSON of a success that found nothing
	Built       bool   // false: it answers ErrSDKInterfaceNotSupport
	Setter      bool   // it only registers or removes a callback and returns nothing
	Returns     string // the C type
}

// Callback is the number of a callback type: its position in the catalogue.
type Callback int

// CallbackType describes a callback type. Params leaves out user_data and holds KindText and KindNumber only.
type CallbackType struct {
	Name   string
	Params []Kind
}

// byName finds a function by the name it is exported under.
var byName = func() map[string]Op {
	m := make(map[string]Op, len(functions))
	for i := range functions {
		m[functions[i].Name] = functions[i].Op
	}
	return m
}()

// Valid says whether there is such a function.
func (o Op) Valid() bool { return o >= 0 && int(o) < len(functions) }

// Function describes the function; o must be valid.
func (o Op) Function() *Function { return &functions[o] }

// String gives the exported name.
func (o Op) String() string {
	if !o.Valid() {
		return "unknown function"
	}
	return functions[o].Name
}

// Functions lists all functions; the caller must not change the list.
func Functions() []Function { return functions[:] }

// Lookup finds a function by its exported name.
func Lookup(name string) (Op, bool) {
	op, ok := byName[name]
	return op, ok
}

// Valid says whether there is such a callback type.
func (c Callback) Valid() bool { return c >= 0 && int(c) < len(callbackTypes) }

// Type describes the callback type; c must be valid.
func (c Callback) Type() *CallbackType { return &callbackTypes[c] }

// String gives the C name of the type.
func (c Callback) String() string {
	if !c.Valid() {
		return "unknown callback"
	}
	return callbackTypes[c].Name
}

// CurrentKey gives today's spelling of a JSON key that earlier versions spelled differently, false if key is none.
func CurrentKey(key string) (string, bool) {
	current, ok := older[key]
	return current, ok
}

// OlderKeys lists the spellings that earlier versions used for a key; the caller must not change the list.
func OlderKeys(current string) []string { return olderOf[current] }
