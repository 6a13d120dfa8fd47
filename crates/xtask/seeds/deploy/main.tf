variable "region" {
  type    = string
  default = "eu-west-1"
}
locals {
  names = { for k, v in var.services : k => upper(v) if v != "" }
}
module "network" {
  source = "./network"
  cidr   = cidrsubnet("10.0.0.0/16", 4, 1)
}
resource "aws_ecs_service" "api" {
  name          = "api-${var.region}"
  desired_count = var.count > 1 ? var.count : 2
  dynamic "load_balancer" {
    for_each = local.names
    content { container_port = 8000 }
  }
}
resource "aws_ecs_task_definition" "api" {
  container_definitions = jsonencode([{ name = "api", image = "registry.example.com/api:1", environment = [{ name = "A", value = "b" }] }])
  user_data = <<-EOT
    echo ${var.region}
  EOT
}
