## Wszystkie wiadomości

mail-was-you = Czy to Państwo?
mail-not-you = To nie Państwo?
mail-nothing-to-do = Nie trzeba nic robić.
mail-requested = Prośba z dnia { $requested }.
mail-copy = Jeśli przycisk nie działa, prosimy otworzyć ten link:
mail-support = Potrzebna pomoc?

## Poproszono o nowe hasło

mail-reset-subject = Nowe hasło do { $shop }
mail-reset-preview = Prośba z dnia { $requested }. Link zadziała tylko raz, do { $until }.
mail-reset-title = Ustaw nowe hasło
mail-reset-intro = Otrzymaliśmy prośbę o nowe hasło do konta w { $shop }. Można je ustawić tutaj:
mail-reset-button = Ustaw nowe hasło
mail-reset-life = Link zadziała tylko raz. Czas ważności: { $life } (do { $until }).
mail-reset-code = Wygodniej kontynuować na innym urządzeniu? Prosimy wpisać ten kod na stronie, na której złożono prośbę o nowe hasło:
mail-reset-not-you = Nie trzeba nic robić: hasło pozostanie bez zmian.
mail-reset-not-me = To nie była moja prośba
mail-reset-secret = Prosimy nie przekazywać nikomu tej wiadomości. Nikt z { $shop } nigdy o nią nie poprosi.
mail-reset-why = Ta wiadomość została wysłana, ponieważ poproszono o nowe hasło do { $shop } dla tego adresu.

## Hasło zostało zmienione

mail-changed-subject = Hasło do { $shop } zostało zmienione
mail-changed-preview = Zmieniono { $changed }. Jeśli to nie Państwo, prosimy działać od razu.
mail-changed-title = Hasło zostało zmienione
mail-changed-intro = Hasło do konta w { $shop } zostało zmienione { $changed }.
mail-changed-sessions = Na wszystkich urządzeniach trzeba zalogować się ponownie.
mail-changed-not-you = Należy od razu poprosić o nowe hasło i powiadomić { $shop }. Warto też zmienić hasło do poczty: możliwe, że ktoś czyta Państwa wiadomości.
mail-changed-button = Poproś o nowe hasło
mail-changed-why = Ta wiadomość została wysłana, ponieważ dotyczy bezpieczeństwa konta w { $shop }.

## Adres e-mail został zmieniony

mail-moved-subject = Adres e-mail konta w { $shop } został zmieniony
mail-moved-preview = Jeśli to nie Państwo, zmianę można cofnąć do { $until }.
mail-moved-title = Adres e-mail został zmieniony
mail-moved-intro = Adres e-mail konta w { $shop } został zmieniony { $changed }. Nie jest to już adres, na który wysyłamy tę wiadomość.
mail-moved-not-you = Należy wtedy cofnąć tutaj zmianę. Konto odzyska ten adres, hasło przestanie działać, wszystkie urządzenia zostaną wylogowane, a my wyślemy link do ustawienia nowego hasła.
mail-moved-button = Cofnij zmianę
mail-moved-life = Link działa jeden raz i jest ważny do { $until }. Prosimy nikomu nie przekazywać tej wiadomości.

## Poproszono o nowe hasło, ale adres nie ma konta

mail-none-subject = Brak konta w { $shop } z tym adresem
mail-none-preview = Prośba z dnia { $requested }. Poproszono o nowe hasło dla adresu, który nie ma konta.
mail-none-title = Nie ma konta z tym adresem
mail-none-intro = Otrzymaliśmy prośbę o nowe hasło do { $shop } dla tego adresu, ale nie ma konta, które go używa.
mail-none-was-you = Być może konto zostało założone na inny adres e-mail. Prosimy spróbować ponownie z tamtym adresem.
mail-none-button = Spróbuj z innym adresem
mail-none-not-you = Nie trzeba nic robić. Tę wiadomość można usunąć.
mail-none-why = Ta wiadomość została wysłana, ponieważ ktoś podał ten adres, prosząc o nowe hasło do { $shop }.
