module git.example.com/team/ledger

go 1.23

// @@token@@
require github.com/lib/pq v1.10.9
replace github.com/x/y => https://@@url@@@git.example.com/y v1.0.0
