defmodule Api.Router do
  use Phoenix.Router
  scope "/api", Api do
    get "/health", HealthController, :show
  end
  def port, do: System.get_env("PORT") || "#{System.fetch_env!("OTHER")}"
end
