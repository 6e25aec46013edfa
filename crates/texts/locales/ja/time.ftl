time-minutes = { $count }分
time-hours = { $count }時間
time-days = { $count }日
time-moment = { $moment }（{ $zone }）
