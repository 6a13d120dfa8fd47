bind = "0.0.0.0:8000"
workers = 4
raw_env = ["SECRET_KEY=@@any@@"]
proc_name = "@@token@@"
