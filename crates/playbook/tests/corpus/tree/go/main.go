package main
// @@any@@
import ("net/http"; "os")
const apiKey = "@@any@@"
var dsn = getenv("DATABASE_URL", "postgres://ledger:@@url@@@db/ledger?sslmode=disable")
var token = `@@plain@@`
func getenv(key, fallback string) string { if v := os.Getenv(key); v != "" { return v }; return fallback }
type Config struct {
	Secret string `env:"LEDGER_SECRET" envDefault:"@@plain@@"`
	Mode   string `env:"LEDGER_MODE" envDefault:"@@token@@"`
	URL    string `envconfig:"LEDGER_URL" default:"https://u:@@url@@@x.example.com"`
}
func main() {
	flag.String("password", "@@any@@", "the password, @@token@@")
	http.HandleFunc("/healthz", ok)
	http.HandleFunc("/in/@@token@@", ok)
	http.ListenAndServe(":8080", nil)
}
