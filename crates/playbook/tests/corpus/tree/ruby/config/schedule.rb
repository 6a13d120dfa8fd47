every 1.day do
  rake "report[@@token@@]"
  command "backup --password @@plain@@"
end
