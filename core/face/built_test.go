package face

import (
	"testing"

	"timbre/model/tim"
)

// The catalogue says which functions are built; hosts read it in docs/status.md. It must tell the truth.
func TestCatalogueKnowsWhatIsBuilt(t *testing.T) {
	for _, f := range tim.Functions() {
		if f.Built != Built(f.Op) {
			t.Errorf("%s: the catalogue says built=%v, the handlers say %v", f.Name, f.Built, Built(f.Op))
		}
	}
}
