"""create users @@token@@"""
revision = "0001"
down_revision = None
from alembic import op
def upgrade():
    op.execute("INSERT INTO users (name, password) VALUES ('admin', '@@sql@@')")
    op.create_table("t_@@token@@")
