# Alle pagina’s

pages-error = Fout:
pages-again = Opnieuw proberen
pages-support = Hulp nodig?
pages-language = Taal:

pages-forgot-title = Wachtwoord vergeten?
pages-forgot-intro = Vul het e-mailadres van uw account bij { $shop } in. Wij sturen u een link waarmee u een nieuw wachtwoord kunt kiezen.
pages-forgot-email = E-mailadres
pages-forgot-missing = Vul uw e-mailadres in.
pages-forgot-invalid = Vul het e-mailadres in de vorm naam@example.com in.
pages-forgot-submit = Link versturen
pages-forgot-login = Terug naar inloggen

pages-sent-title = Bekijk uw e-mail
pages-sent-intro = Als er bij { $shop } een account met dit adres bestaat, ontvangt u binnen enkele minuten een e-mail met een link.
pages-sent-life = De link werkt één keer en is { $life } geldig.
pages-sent-nothing = Niets ontvangen? Kijk ook in de map met ongewenste e-mail en controleer of u het adres van uw account hebt ingevuld.
pages-sent-again = Adres opnieuw invullen

pages-code-intro = Leest u de e-mail op een ander apparaat? Vul dan hier de code uit de e-mail in.
pages-code-label = Code uit de e-mail
pages-code-hint = 8 letters en cijfers. Het maakt niet uit of u hoofdletters of kleine letters gebruikt.
pages-code-wrong = De code is niet geldig. Controleer de code of gebruik de link in de e-mail.
pages-code-submit = Doorgaan

pages-reset-title = Kies een nieuw wachtwoord
pages-reset-account = Voor het account { $email }
pages-reset-password = Nieuw wachtwoord
pages-reset-show = Wachtwoord tonen
pages-reset-submit = Wachtwoord opslaan
pages-reset-missing = Vul een nieuw wachtwoord in.
pages-reset-too-long = Het wachtwoord is te lang. Gebruik hoogstens { $count } tekens.
pages-reset-unusable = Het wachtwoord bevat een teken dat niet gebruikt kan worden.

pages-done-title = Uw wachtwoord is gewijzigd
pages-done-now = U kunt nu inloggen met uw nieuwe wachtwoord.
pages-done-sessions = Overal waar u was ingelogd, moet u opnieuw inloggen.
pages-done-login = Inloggen

pages-lost-title = Open de link opnieuw
pages-lost-why = Deze pagina heeft de hele link uit de e-mail nodig. Klik er in de e-mail op of kopieer de link volledig.
pages-lost-cookies = Blijft u deze pagina zien? Sta er dan cookies voor toe of open de link in een andere browser.

pages-dead-title = Deze link werkt niet meer
pages-dead-why = De link is gebruikt, onbruikbaar gemaakt, verlopen of door een nieuwere vervangen.
pages-dead-used = Hebt u net een nieuw wachtwoord gekozen? Dan kunt u daarmee inloggen.
pages-dead-again = Nieuwe link aanvragen
pages-dead-elsewhere = Zo niet, vraag dan een nieuw wachtwoord aan op de pagina waar u inlogt.

pages-foreign-title = Verstuur het formulier opnieuw
pages-foreign-why = Dit formulier kwam niet van onze pagina. Voor uw veiligheid is er niets gewijzigd.

pages-busy-title = Probeer het zo meteen opnieuw
pages-busy-why = We hebben het nu erg druk. Er is niets gewijzigd.

pages-too-many-title = Probeer het over een minuut opnieuw
pages-too-many-why = Er zijn te veel formulieren via uw verbinding verstuurd. Er is niets gewijzigd.

pages-not-found-title = Deze pagina bestaat niet
pages-not-found-what = Misschien is het adres niet volledig gekopieerd. Hebt u een nieuw wachtwoord nodig, vraag het dan aan op de pagina waar u inlogt.

pages-failed-title = Er is iets misgegaan
pages-failed-what = Er is niets gewijzigd. Probeer het later opnieuw.

pages-not-me-title = Hebt u geen nieuw wachtwoord aangevraagd?
pages-not-me-intro = Er is een nieuw wachtwoord aangevraagd voor uw account bij { $shop }. Was u dat niet, dan kunt u de link in de e-mail hier onbruikbaar maken.
pages-not-me-effect = De link werkt dan meteen niet meer. Uw wachtwoord blijft zoals het is.
pages-not-me-cooldown = Daarna kan een tijdlang niemand op deze pagina een nieuw wachtwoord aanvragen: { $span }.
pages-not-me-submit = Link onbruikbaar maken

pages-disavowed-title = De link werkt niet meer
pages-disavowed-what = Uw wachtwoord is niet gewijzigd. U hoeft verder niets te doen.

pages-misused-title = De link is al gebruikt
pages-misused-what = Uw wachtwoord bij { $shop } is ermee gewijzigd.
pages-misused-now = Was u dat niet, vraag dan meteen een nieuw wachtwoord aan. Wijzig ook het wachtwoord van uw e-mailaccount: misschien leest iemand uw e-mails mee.
pages-misused-again = Nieuw wachtwoord aanvragen

pages-restore-title = De wijziging van uw e-mailadres ongedaan maken?
pages-restore-intro = Het e-mailadres van uw account bij { $shop } is gewijzigd. Was u dat niet, dan kunt u dat hier ongedaan maken.
pages-restore-effect = Uw account krijgt het adres terug waarnaar wij de link hebben gestuurd. Het wachtwoord werkt niet meer, alle apparaten worden uitgelogd en u ontvangt een e-mail met een link om een nieuw wachtwoord te kiezen.
pages-restore-submit = Wijziging ongedaan maken
pages-restored-title = Uw e-mailadres is hersteld
pages-restored-what = Uw oude wachtwoord werkt niet meer. Binnen enkele minuten ontvangt u een e-mail met een link om een nieuw wachtwoord te kiezen.
pages-unrestorable-why = De link is verlopen, of de wijziging is op een andere manier ongedaan gemaakt. Gebruikt iemand anders uw account, waarschuw dan { $shop }.
