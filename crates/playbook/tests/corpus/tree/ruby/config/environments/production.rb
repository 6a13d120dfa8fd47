Rails.application.configure do
  config.secret_key_base = "@@any@@"
  config.action_mailer.smtp_settings = { address: "smtp.example.com", user_name: "app", password: "@@any@@" }
  config.cache_store = :redis_cache_store, { url: ENV.fetch("REDIS_URL", "redis://:@@url@@@redis:6379/1") }
  # @@any@@
  config.x.token = ENV["FORUM_TOKEN"] || '@@plain@@'
  config.hosts << "@@token@@.example.com"
end
