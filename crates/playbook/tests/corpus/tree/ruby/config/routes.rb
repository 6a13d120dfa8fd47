Rails.application.routes.draw do
  get "/up" => "rails/health#show"
  post "/hooks/@@token@@", to: "hooks#create"
end
