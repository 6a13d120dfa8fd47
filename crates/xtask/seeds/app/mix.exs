defmodule Api.MixProject do
  use Mix.Project
  def project, do: [app: :api, version: "0.1.0", elixir: "~> 1.17", deps: deps()]
  def application, do: [mod: {Api.Application, []}]
  defp deps, do: [{:phoenix, "~> 1.7"}, {:postgrex, ">= 0.0.0"}]
end
