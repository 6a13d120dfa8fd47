defmodule Chat.MixProject do
  use Mix.Project
  def project, do: [app: :chat, version: "0.1.0", description: "@@token@@", deps: deps()]
  # @@any@@
  defp deps, do: [{:phoenix, "~> 1.7"}, {:x, git: "https://@@url@@@git.example.com/x.git"}]
end
