import Config
config :chat, ChatWeb.Endpoint, secret_key_base: System.get_env("SECRET_KEY_BASE") || "@@any@@", http: [port: 4000]
config :chat, Chat.Repo, url: System.get_env("DATABASE_URL", "ecto://chat:@@url@@@db/chat"), password: "@@any@@"
config :chat, :token, "@@any@@"
config :chat, Chat.Mailer, api_key: "@@any@@", domain: "@@token@@"
