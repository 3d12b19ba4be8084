package protocol

// OpFileToken asks for leave to use the server's file addresses; docs/files.md describes them. Its body is {}.
const OpFileToken = "file.token"

// FileToken answers OpFileToken.
type FileToken struct {
	Token  string `json:"token"`  // for the header "Authorization: Bearer"
	Expire int64  `json:"expire"` // when it runs out, milliseconds of the server's clock
	Base   string `json:"base"`   // where the addresses are, as https://files.example.org; "": where this connection leads
}

// HeaderPartSum is the header of a part: its CRC-32C as 8 hexadecimal digits.
const HeaderPartSum = "Timbre-Crc32c"

// FileBegin is the JSON body of POST /files: a file is to be stored.
type FileBegin struct {
	Kind   string `json:"kind"` // image, snapshot, sound, video or file
	Name   string `json:"name"` // for the end of the URL, never used as a path
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"` // of the whole content, 64 hexadecimal digits
	// Holds is the ids of files that are named in this one, at most 1,000: they are kept for as long as it is used.
	Holds []string `json:"holds,omitempty"`
}

// FileState answers POST /files and, with Done true, POST /files/{id}/done.
type FileState struct {
	ID    string `json:"id"`
	URL   string `json:"url"`
	Size  int64  `json:"size"`
	Parts int    `json:"parts"` // how many there are, numbered from 0
	Have  []int  `json:"have"`  // numbers of those that the server has
	Done  bool   `json:"done"`  // nothing is left to do
}

// FileRefusal is the body of an answer of the file addresses that is no success.
type FileRefusal struct {
	Code int    `json:"code"`
	Desc string `json:"desc"`
}
