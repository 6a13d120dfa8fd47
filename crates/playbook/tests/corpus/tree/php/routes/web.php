<?php
Route::get('/hook/@@token@@', fn () => 'ok');
Schedule::command('report --key=@@plain@@')->daily();
