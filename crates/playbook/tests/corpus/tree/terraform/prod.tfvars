db_password = "@@any@@"
mode = "@@token@@"
api_keys = { stripe = "@@any@@", other = "@@any@@" }
