package usersig

import (
	"testing"
	"time"
)

// checkTicket was made by another generator: app 1400000001, the secret below, alice, 2023-11-14, one day.
const (
	checkTicket = "eJyrVgrxCdYrSy1SslJQMtIzUNJRAItkpqTmlWSmZUIkEnMyk1NhUsUp2YkFBZkpQAlDEwMIMITKpVYUZBalAmUszIBSUMGSzFyQkKE5" +
		"VDFMvDgzHWR4slt*UXmKUZijV1Jykq*2kVeir0dlVnJOfnFgnqVzQEFIcn5EjrGfT6F-qK1SLQAGOzJ5"
	checkSecret = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
)

func FuzzParse(f *testing.F) {
	f.Add(checkTicket)
	f.Add(Make(1, "secret", "bob", time.Unix(1700000000, 0), time.Hour))
	f.Add("")
	f.Add("eJw=")
	f.Fuzz(func(t *testing.T, text string) {
		ticket, err := Parse(text)
		if err == nil {
			ticket.Signed(checkSecret)
			ticket.Expired(time.Unix(1700000000, 0))
		}
	})
}

func TestCheckValue(t *testing.T) {
	ticket, err := Parse(checkTicket)
	if err != nil {
		t.Fatal(err)
	}
	issued := time.Unix(1700000000, 0)
	if ticket.User != "alice" || ticket.App != 1400000001 || !ticket.Issued.Equal(issued) || !ticket.Expires.Equal(issued.Add(24*time.Hour)) {
		t.Errorf("%+v", ticket)
	}
	if ticket.sig != "cForwd2VAJbcbM+2JaMHyjclosQn9CPpTcoXl3NLqOU=" || !ticket.Signed(checkSecret) || ticket.Signed("other") {
		t.Errorf("signature %s", ticket.sig)
	}
	own, err := Parse(Make(1400000001, checkSecret, "alice", issued, 24*time.Hour))
	if err != nil || own != ticket {
		t.Errorf("made %+v, %v", own, err)
	}
	if ticket.Expired(issued.Add(24*time.Hour-time.Second)) || !ticket.Expired(issued.Add(24*time.Hour)) {
		t.Error("wrong end")
	}
}
