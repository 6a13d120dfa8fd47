job "gate" {
  group "web" {
    task "api" {
      driver = "docker"
      config { image = "registry.example.com/gate:1", args = ["--password", "@@any@@"] }
      env { API_SECRET = "@@any@@", MODE = "@@token@@" }
      template { data = "password=@@plain@@" destination = "secrets/x" }
    }
  }
}
