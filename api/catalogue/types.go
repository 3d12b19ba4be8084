package catalogue

// Catalogue is everything the YAML files say, in the order in which the headers include each other.
type Catalogue struct {
	Headers []*Header
}

// Header is one YAML file, which becomes one public header.
type Header struct {
	Name           string     `yaml:"header"`
	Title          string     `yaml:"title"`
	Doc            string     `yaml:"doc"`
	Enums          []Enum     `yaml:"enums"`
	Errors         []Value    `yaml:"errors"`
	Callbacks      []Callback `yaml:"callbacks"`
	Functions      []Function `yaml:"functions"`
	Structs        []Struct   `yaml:"structs"`
	OlderConstants []Key      `yaml:"older_constants"`
	Aliases        []Alias    `yaml:"aliases"`
}

// Enum is a C enumeration.
type Enum struct {
	Name   string  `yaml:"name"`
	Older  bool    `yaml:"older"`
	Doc    string  `yaml:"doc"`
	Values []Value `yaml:"values"`
}

// Value is an enumerator or an error code.
type Value struct {
	Name  string `yaml:"name"`
	Value int64  `yaml:"value"`
	Older bool   `yaml:"older"`
	Doc   string `yaml:"doc"`
}

// Callback is a function pointer type. An older one may be the same type as a current one under another name.
type Callback struct {
	Name   string  `yaml:"name"`
	Params []Param `yaml:"params"`
	Older  bool    `yaml:"older"`
	SameAs string  `yaml:"same_as"`
	Doc    string  `yaml:"doc"`
}

// Function is one exported function.
type Function struct {
	Name        string  `yaml:"name"`
	Returns     string  `yaml:"returns"`
	Params      []Param `yaml:"params"`
	State       string  `yaml:"state"`
	EmptyResult string  `yaml:"empty_result"`
	Built       bool    `yaml:"built"`
	Older       bool    `yaml:"older"`
	Doc         string  `yaml:"doc"`
	Result      string  `yaml:"result"`
	Events      string  `yaml:"events"`
	Errors      string  `yaml:"errors"`
	Limits      string  `yaml:"limits"`
	Thread      string  `yaml:"thread"`
	Source      string  `yaml:"source"`
}

// Param is a parameter of a function or callback.
type Param struct {
	Name     string `yaml:"name"`
	Type     string `yaml:"type"`
	Optional bool   `yaml:"optional"`
	JSON     string `yaml:"json"`  // "", "object", "array" or "either" of them
	Bad      int32  `yaml:"bad"`   // the answer to broken JSON when it is not the usual one
	Empty    int32  `yaml:"empty"` // the answer to an empty object or array, 0 when that is accepted
	Doc      string `yaml:"doc"`
}

// Struct is a JSON object.
type Struct struct {
	Name string `yaml:"name"`
	Doc  string `yaml:"doc"`
	Keys []Key  `yaml:"keys"`
}

// Key is a JSON key and the C constant that holds it.
type Key struct {
	Const    string   `yaml:"const"`
	Key      string   `yaml:"key"`
	Type     string   `yaml:"type"`
	Ref      string   `yaml:"ref"`
	Dir      string   `yaml:"dir"`
	Required bool     `yaml:"required"`
	Older    []string `yaml:"older"`
	Doc      string   `yaml:"doc"`
}

// Alias is a misspelt constant that stays valid.
type Alias struct {
	Name   string `yaml:"name"`
	Target string `yaml:"target"`
}
