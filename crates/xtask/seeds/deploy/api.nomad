job "api" {
  datacenters = ["dc1"]
  group "web" {
    count = 2
    network { port "http" { to = 8000 } }
    task "server" {
      driver = "docker"
      config { image = "registry.example.com/api:1" ports = ["http"] }
      template { data = <<EOH
KEY={{ key "a/b" }}
EOH
        destination = "local/env" env = true }
    }
  }
}
