# Wszystkie strony

pages-error = Błąd:
pages-again = Spróbuj ponownie
pages-support = Potrzebna pomoc?
pages-language = Język:

pages-forgot-title = Nie pamiętają Państwo hasła?
pages-forgot-intro = Prosimy podać adres e-mail konta w { $shop }. Wyślemy link, za pomocą którego można ustawić nowe hasło.
pages-forgot-email = Adres e-mail
pages-forgot-missing = Prosimy podać adres e-mail.
pages-forgot-invalid = Prosimy podać adres e-mail w postaci nazwa@example.com.
pages-forgot-submit = Wyślij link
pages-forgot-login = Wróć do logowania

pages-sent-title = Prosimy sprawdzić pocztę
pages-sent-intro = Jeśli w { $shop } istnieje konto z tym adresem, w ciągu kilku minut przyjdzie wiadomość z linkiem.
pages-sent-life = Link zadziała tylko raz. Czas ważności: { $life }.
pages-sent-nothing = Nic nie przyszło? Prosimy zajrzeć także do folderu ze spamem i sprawdzić, czy podany adres jest adresem konta.
pages-sent-again = Podaj adres jeszcze raz

pages-code-intro = Wiadomość otwarta na innym urządzeniu? Prosimy wpisać tutaj kod z wiadomości.
pages-code-label = Kod z wiadomości
pages-code-hint = 8 liter i cyfr. Wielkość liter nie ma znaczenia.
pages-code-wrong = Kod jest nieprawidłowy. Prosimy go sprawdzić albo skorzystać z linku w wiadomości.
pages-code-submit = Dalej

pages-reset-title = Ustaw nowe hasło
pages-reset-account = Dla konta { $email }
pages-reset-password = Nowe hasło
pages-reset-show = Pokaż hasło
pages-reset-submit = Zapisz hasło
pages-reset-missing = Prosimy wpisać nowe hasło.
pages-reset-too-long = Hasło jest za długie. Maksymalna liczba znaków: { $count }.
pages-reset-unusable = Hasło zawiera znak, którego nie można użyć.

pages-done-title = Hasło zostało zmienione
pages-done-now = Można się teraz zalogować nowym hasłem.
pages-done-sessions = Na wszystkich urządzeniach trzeba zalogować się ponownie.
pages-done-login = Zaloguj się

pages-lost-title = Prosimy otworzyć link jeszcze raz
pages-lost-why = Ta strona potrzebuje całego linku z wiadomości. Prosimy kliknąć go w wiadomości albo skopiować w całości.
pages-lost-cookies = Ta strona wciąż się pojawia? Prosimy zezwolić jej na pliki cookie albo otworzyć link w innej przeglądarce.

pages-dead-title = Ten link już nie działa
pages-dead-why = Został użyty lub unieważniony, wygasł albo zastąpił go nowszy.
pages-dead-used = Nowe hasło zostało właśnie ustawione? Można się nim zalogować.
pages-dead-again = Poproś o nowy link
pages-dead-elsewhere = Jeśli nie, o nowe hasło można poprosić na stronie logowania.

pages-foreign-title = Prosimy wysłać formularz jeszcze raz
pages-foreign-why = Ten formularz nie pochodził z naszej strony. Dla bezpieczeństwa nic nie zostało zmienione.

pages-busy-title = Prosimy spróbować za chwilę
pages-busy-why = Mamy teraz bardzo dużo zgłoszeń. Nic nie zostało zmienione.

pages-too-many-title = Prosimy spróbować za minutę
pages-too-many-why = Z tego połączenia wysłano zbyt wiele formularzy. Nic nie zostało zmienione.

pages-not-found-title = Nie ma takiej strony
pages-not-found-what = Być może adres nie został skopiowany w całości. Jeśli potrzebne jest nowe hasło, można o nie poprosić na stronie logowania.

pages-failed-title = Coś poszło nie tak
pages-failed-what = Nic nie zostało zmienione. Prosimy spróbować później.

pages-not-me-title = To nie Państwo poprosili o nowe hasło?
pages-not-me-intro = Otrzymaliśmy prośbę o nowe hasło do konta w { $shop }. Jeśli wysłał ją ktoś inny, można tutaj unieważnić link z wiadomości.
pages-not-me-effect = Link od razu przestanie działać. Hasło pozostanie bez zmian.
pages-not-me-cooldown = Potem przez pewien czas nikt nie będzie mógł poprosić na tej stronie o nowe hasło: { $span }.
pages-not-me-submit = Unieważnij link

pages-disavowed-title = Link już nie działa
pages-disavowed-what = Hasło nie zostało zmienione. Nie trzeba robić nic więcej.

pages-misused-title = Link został już użyty
pages-misused-what = Za jego pomocą zmieniono hasło do konta w { $shop }.
pages-misused-now = Jeśli zrobił to ktoś inny, należy od razu poprosić o nowe hasło. Warto też zmienić hasło do poczty: możliwe, że ktoś czyta Państwa wiadomości.
pages-misused-again = Poproś o nowe hasło

pages-restore-title = Cofnąć zmianę adresu e-mail?
pages-restore-intro = Adres e-mail konta w { $shop } został zmieniony. Jeśli zrobił to ktoś inny, można tutaj cofnąć zmianę.
pages-restore-effect = Konto odzyska adres, na który wysłaliśmy link. Hasło przestanie działać, wszystkie urządzenia zostaną wylogowane, a na ten adres przyjdzie wiadomość z linkiem do ustawienia nowego hasła.
pages-restore-submit = Cofnij zmianę
pages-restored-title = Adres e-mail został przywrócony
pages-restored-what = Stare hasło już nie działa. Za kilka minut przyjdzie wiadomość z linkiem do ustawienia nowego.
pages-unrestorable-why = Link wygasł albo zmiana została cofnięta w inny sposób. Jeśli z konta korzysta ktoś inny, prosimy powiadomić { $shop }.
