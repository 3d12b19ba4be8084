package qc
import ("testing";"database/sql";"time";"fmt"; _ "modernc.org/sqlite")
func TestQC(t *testing.T){
 db,_:=sql.Open("sqlite","file:/tmp/h5/carol.indexed/data/1400000001_6361726f6c/timbre.db?mode=ro&_pragma=cache_size(-512)")
 for _,q:=range []string{`PRAGMA quick_check("message")`,`PRAGMA quick_check("conversation")`,`PRAGMA quick_check("search_text_data")`,`PRAGMA quick_check("search_doc")`,`PRAGMA quick_check(1)`}{
  s:=time.Now(); var x string; err:=db.QueryRow(q).Scan(&x); fmt.Println(q,x,err,time.Since(s))
 }
}
