<?php
define('DB_NAME', 'desk');
define('DB_PASSWORD', '@@plain@@');
define('AUTH_KEY', '@@plain@@');
define( "NONCE_SALT", "@@any@@" );
$token = getenv('API_TOKEN') ?: '@@plain@@';
