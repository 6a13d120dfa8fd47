module registry.example.com/api
go 1.24
require (
	github.com/gin-gonic/gin v1.10.0
	github.com/jackc/pgx/v5 v5.7.0 // indirect
)
replace github.com/a/b => ../b
