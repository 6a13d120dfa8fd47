require "sinatra"
set :port, ENV.fetch("PORT", 4567)
get("/health") { "ok #{ENV["NAME"] || "x #{1}"}" }
text = <<~TEXT
  hello #{ENV.fetch("WHO")}
TEXT
