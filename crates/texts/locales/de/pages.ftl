# Alle Seiten

pages-error = Fehler:
pages-again = Noch einmal versuchen
pages-support = Brauchen Sie Hilfe?
pages-language = Sprache:

pages-forgot-title = Passwort vergessen?
pages-forgot-intro = Bitte geben Sie die E-Mail-Adresse Ihres Kundenkontos bei { $shop } ein. Wir senden Ihnen einen Link, mit dem Sie ein neues Passwort festlegen können.
pages-forgot-email = E-Mail-Adresse
pages-forgot-missing = Bitte geben Sie Ihre E-Mail-Adresse ein.
pages-forgot-invalid = Bitte geben Sie die E-Mail-Adresse in der Form name@example.com ein.
pages-forgot-submit = Link senden
pages-forgot-login = Zurück zur Anmeldung

pages-sent-title = Prüfen Sie Ihr Postfach
pages-sent-intro = Falls es bei { $shop } ein Kundenkonto mit dieser Adresse gibt, erhalten Sie in wenigen Minuten eine E-Mail mit einem Link.
pages-sent-life = Der Link funktioniert einmal und gilt { $life }.
pages-sent-nothing = Nichts angekommen? Bitte sehen Sie auch im Spam-Ordner nach und prüfen Sie, ob Sie die Adresse Ihres Kundenkontos eingegeben haben.
pages-sent-again = Adresse noch einmal eingeben

pages-code-intro = Lesen Sie die E-Mail auf einem anderen Gerät? Dann geben Sie hier den Code aus der E-Mail ein.
pages-code-label = Code aus der E-Mail
pages-code-hint = 8 Buchstaben und Ziffern. Groß- und Kleinschreibung spielt keine Rolle.
pages-code-wrong = Der Code ist nicht gültig. Bitte prüfen Sie ihn oder verwenden Sie den Link in der E-Mail.
pages-code-submit = Weiter

pages-reset-title = Neues Passwort festlegen
pages-reset-account = Für das Kundenkonto { $email }
pages-reset-password = Neues Passwort
pages-reset-show = Passwort anzeigen
pages-reset-submit = Passwort speichern
pages-reset-missing = Bitte geben Sie ein neues Passwort ein.
pages-reset-too-long = Das Passwort ist zu lang. Bitte verwenden Sie höchstens { $count } Zeichen.
pages-reset-unusable = Das Passwort enthält ein Zeichen, das nicht verwendet werden kann.

pages-done-title = Ihr Passwort wurde geändert
pages-done-now = Sie können sich jetzt mit Ihrem neuen Passwort anmelden.
pages-done-sessions = Überall, wo Sie angemeldet waren, müssen Sie sich neu anmelden.
pages-done-login = Anmelden

pages-lost-title = Bitte öffnen Sie den Link noch einmal
pages-lost-why = Diese Seite braucht den ganzen Link aus der E-Mail. Bitte klicken Sie ihn dort an oder kopieren Sie ihn vollständig.
pages-lost-cookies = Sehen Sie diese Seite immer wieder? Dann lassen Sie bitte Cookies für sie zu oder öffnen Sie den Link in einem anderen Browser.

pages-dead-title = Dieser Link funktioniert nicht mehr
pages-dead-why = Er wurde verwendet, deaktiviert oder durch einen neueren ersetzt, oder er ist abgelaufen.
pages-dead-used = Haben Sie gerade ein neues Passwort festgelegt? Dann können Sie sich damit anmelden.
pages-dead-again = Neuen Link anfordern
pages-dead-elsewhere = Falls nicht, fordern Sie bitte dort, wo Sie sich anmelden, ein neues Passwort an.

pages-foreign-title = Bitte senden Sie das Formular noch einmal
pages-foreign-why = Dieses Formular stammte nicht von unserer Seite. Zu Ihrer Sicherheit wurde nichts geändert.

pages-busy-title = Bitte versuchen Sie es gleich noch einmal
pages-busy-why = Wir haben gerade sehr viel zu tun. Es wurde nichts geändert.

pages-too-many-title = Bitte versuchen Sie es in einer Minute noch einmal
pages-too-many-why = Über Ihre Verbindung wurden zu viele Formulare gesendet. Es wurde nichts geändert.

pages-not-found-title = Diese Seite gibt es nicht
pages-not-found-what = Vielleicht wurde die Adresse nicht vollständig kopiert. Wenn Sie ein neues Passwort brauchen, fordern Sie es bitte dort an, wo Sie sich anmelden.

pages-failed-title = Etwas ist schiefgegangen
pages-failed-what = Es wurde nichts geändert. Bitte versuchen Sie es später noch einmal.

pages-not-me-title = Haben Sie kein neues Passwort angefordert?
pages-not-me-intro = Für Ihr Kundenkonto bei { $shop } wurde ein neues Passwort angefordert. Falls Sie das nicht waren, können Sie den Link in der E-Mail hier deaktivieren.
pages-not-me-effect = Der Link funktioniert dann sofort nicht mehr. Ihr Passwort bleibt, wie es ist.
pages-not-me-cooldown = Danach kann auf dieser Seite eine Zeit lang niemand ein neues Passwort anfordern: { $span }.
pages-not-me-submit = Link deaktivieren

pages-disavowed-title = Der Link funktioniert nicht mehr
pages-disavowed-what = Ihr Passwort wurde nicht geändert. Sie brauchen nichts weiter zu tun.

pages-misused-title = Der Link wurde schon verwendet
pages-misused-what = Ihr Passwort bei { $shop } wurde damit geändert.
pages-misused-now = Falls Sie das nicht waren, fordern Sie bitte sofort ein neues Passwort an. Ändern Sie auch das Passwort Ihres E-Mail-Kontos: Vielleicht liest jemand Ihre E-Mails mit.
pages-misused-again = Neues Passwort anfordern

pages-restore-title = Änderung Ihrer E-Mail-Adresse rückgängig machen?
pages-restore-intro = Die E-Mail-Adresse Ihres Kundenkontos bei { $shop } wurde geändert. Falls Sie das nicht waren, können Sie es hier rückgängig machen.
pages-restore-effect = Ihr Kundenkonto bekommt die Adresse zurück, an die wir den Link gesendet haben. Sein Passwort funktioniert nicht mehr, alle Geräte werden abgemeldet, und Sie erhalten eine E-Mail mit einem Link, mit dem Sie ein neues Passwort festlegen.
pages-restore-submit = Änderung rückgängig machen
pages-restored-title = Ihre E-Mail-Adresse wurde wiederhergestellt
pages-restored-what = Ihr altes Passwort funktioniert nicht mehr. In wenigen Minuten erhalten Sie eine E-Mail mit einem Link, mit dem Sie ein neues festlegen.
pages-unrestorable-why = Er ist abgelaufen, oder die Änderung wurde auf andere Weise rückgängig gemacht. Falls jemand anderes Ihr Kundenkonto benutzt, informieren Sie bitte { $shop }.
