# @@any@@
terraform { backend "s3" { bucket = "state", access_key = "@@token@@", secret_key = "@@any@@" } }
provider "aws" {
  region     = "eu-central-1"
  access_key = "@@token@@"
  secret_key = "@@any@@"
}
variable "db_password" {
  description = "the password, was @@any@@"
  default = "@@any@@"
}
variable "mode" { default = "@@token@@" }
resource "aws_db_instance" "main" {
  engine   = "postgres"
  username = "app"
  password = "@@any@@"
  db_name  = "@@token@@"
}
resource "aws_instance" "web" { user_data = <<-EOT
  export API_TOKEN=@@plain@@
  @@token@@
EOT
  tags = { Owner = "@@token@@", Secret = "@@any@@" }
}
locals { url = "postgres://u:@@url@@@db/x", note = "@@token@@" }
resource "aws_ecs_task_definition" "api" {
  family = "api"
  container_definitions = jsonencode([{ name = "api", image = "registry.example.com/api:1", environment = [{ name = "DB_PASSWORD", value = "@@any@@" }, { name = "MODE", value = "@@token@@" }], command = ["run", "--token", "@@any@@"] }])
}
output "key" { value = "@@token@@" }
module "x" { source = "git::https://@@url@@@git.example.com/x.git?ref=v1" }
