resource "x" "y" { password = "@@any@@"
 @@any@@ = = 
