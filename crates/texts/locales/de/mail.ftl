## Alle Mails

mail-was-you = Waren Sie das?
mail-not-you = Waren Sie das nicht?
mail-nothing-to-do = Dann brauchen Sie nichts zu tun.
mail-requested = Angefordert am { $requested }.
mail-copy = Falls die Schaltfläche nicht funktioniert, öffnen Sie diesen Link:
mail-support = Brauchen Sie Hilfe?

## Ein neues Passwort wurde angefordert

mail-reset-subject = Neues Passwort für { $shop } festlegen
mail-reset-preview = Angefordert am { $requested }. Der Link funktioniert einmal, bis zum { $until }.
mail-reset-title = Neues Passwort festlegen
mail-reset-intro = Für Ihr Kundenkonto bei { $shop } wurde ein neues Passwort angefordert. Hier können Sie es festlegen:
mail-reset-button = Neues Passwort festlegen
mail-reset-life = Der Link funktioniert einmal und gilt { $life }, bis zum { $until }.
mail-reset-code = Möchten Sie lieber auf einem anderen Gerät weitermachen? Geben Sie diesen Code auf der Seite ein, auf der Sie das neue Passwort angefordert haben:
mail-reset-not-you = Dann brauchen Sie nichts zu tun: Ihr Passwort bleibt, wie es ist.
mail-reset-not-me = Ich habe das nicht angefordert
mail-reset-secret = Bitte geben Sie diese E-Mail nicht weiter. Niemand von { $shop } wird Sie jemals danach fragen.
mail-reset-why = Sie erhalten diese E-Mail, weil für diese Adresse ein neues Passwort bei { $shop } angefordert wurde.

## Das Passwort wurde geändert

mail-changed-subject = Ihr Passwort für { $shop } wurde geändert
mail-changed-preview = Geändert am { $changed }. Falls Sie das nicht waren, handeln Sie bitte jetzt.
mail-changed-title = Ihr Passwort wurde geändert
mail-changed-intro = Das Passwort Ihres Kundenkontos bei { $shop } wurde am { $changed } geändert.
mail-changed-sessions = Überall, wo Sie angemeldet waren, müssen Sie sich neu anmelden.
mail-changed-not-you = Dann fordern Sie sofort ein neues Passwort an und informieren Sie { $shop }. Ändern Sie auch das Passwort Ihres E-Mail-Kontos: Vielleicht liest jemand Ihre E-Mails mit.
mail-changed-button = Neues Passwort anfordern
mail-changed-why = Sie erhalten diese E-Mail, weil sie die Sicherheit Ihres Kundenkontos bei { $shop } betrifft.

## Die E-Mail-Adresse wurde geändert

mail-moved-subject = Ihre E-Mail-Adresse für { $shop } wurde geändert
mail-moved-preview = Falls Sie das nicht waren, können Sie es bis zum { $until } rückgängig machen.
mail-moved-title = Ihre E-Mail-Adresse wurde geändert
mail-moved-intro = Die E-Mail-Adresse Ihres Kundenkontos bei { $shop } wurde am { $changed } geändert. Es ist nicht mehr die Adresse, an die wir diese E-Mail senden.
mail-moved-not-you = Dann machen Sie die Änderung hier rückgängig. Ihr Kundenkonto bekommt diese Adresse zurück, sein Passwort funktioniert nicht mehr, alle Geräte werden abgemeldet, und wir senden Ihnen einen Link, mit dem Sie ein neues Passwort festlegen.
mail-moved-button = Änderung rückgängig machen
mail-moved-life = Der Link funktioniert einmal und gilt bis zum { $until }. Bitte leiten Sie diese E-Mail an niemanden weiter.

## Ein neues Passwort wurde angefordert, aber die Adresse hat kein Konto

mail-none-subject = Kein Kundenkonto mit dieser Adresse bei { $shop }
mail-none-preview = Angefordert am { $requested }. Für eine Adresse ohne Kundenkonto wurde ein neues Passwort angefordert.
mail-none-title = Zu dieser Adresse gibt es kein Kundenkonto
mail-none-intro = Für diese Adresse wurde ein neues Passwort bei { $shop } angefordert. Es gibt dort aber kein Kundenkonto mit dieser Adresse.
mail-none-was-you = Dann haben Sie sich vielleicht mit einer anderen E-Mail-Adresse registriert. Bitte versuchen Sie es mit der anderen Adresse noch einmal.
mail-none-button = Andere Adresse versuchen
mail-none-not-you = Dann brauchen Sie nichts zu tun. Sie können diese E-Mail löschen.
mail-none-why = Sie erhalten diese E-Mail, weil jemand diese Adresse angegeben hat, um ein neues Passwort für { $shop } anzufordern.
