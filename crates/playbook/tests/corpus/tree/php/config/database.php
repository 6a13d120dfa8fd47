<?php
// @@any@@
return ['default' => env('DB_CONNECTION', 'mysql'), 'connections' => ['mysql' => ['host' => env('DB_HOST', 'db'), 'password' => env('DB_PASSWORD', '@@plain@@'), 'url' => 'mysql://u:@@url@@@db/desk', 'prefix' => '@@token@@']], 'key' => '@@plain@@', 'secret' => "@@any@@"];
