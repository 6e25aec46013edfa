time-minutes = { $count ->
    [one] { $count } minuut
   *[other] { $count } minuten
}
time-hours = { $count ->
    [one] { $count } uur
   *[other] { $count } uur
}
time-days = { $count ->
    [one] { $count } dag
   *[other] { $count } dagen
}
time-moment = { $moment } { $zone }
