## Tutte le e-mail

mail-was-you = Riconosce questa operazione?
mail-not-you = Non riconosce questa operazione?
mail-nothing-to-do = Allora non deve fare nulla.
mail-requested = Data della richiesta: { $requested }.
mail-copy = Se il pulsante non funziona, apra questo link:
mail-support = Ha bisogno di aiuto?

## È stata richiesta una nuova password

mail-reset-subject = Scelga una nuova password per { $shop }
mail-reset-preview = Data della richiesta: { $requested }. Il link funziona una sola volta. Scadenza: { $until }.
mail-reset-title = Scelga una nuova password
mail-reset-intro = È stata richiesta una nuova password per il Suo account { $shop }. Può sceglierla qui:
mail-reset-button = Scegli una nuova password
mail-reset-life = Il link funziona una sola volta ed è valido per { $life }. Scadenza: { $until }.
mail-reset-code = Preferisce continuare su un altro dispositivo? Inserisca questo codice nella pagina in cui ha richiesto la nuova password:
mail-reset-not-you = Allora non deve fare nulla: la Sua password resta invariata.
mail-reset-not-me = Non l’ho richiesta io
mail-reset-secret = Non inoltri questa e-mail a nessuno. Nessuno di { $shop } Gliela chiederà mai.
mail-reset-why = Riceve questa e-mail perché per questo indirizzo è stata richiesta una nuova password su { $shop }.

## La password è stata modificata

mail-changed-subject = La Sua password per { $shop } è stata modificata
mail-changed-preview = Data della modifica: { $changed }. Se non riconosce questa operazione, agisca subito.
mail-changed-title = La Sua password è stata modificata
mail-changed-intro = La password del Suo account { $shop } è stata modificata in data { $changed }.
mail-changed-sessions = Dovrà accedere di nuovo su tutti i Suoi dispositivi.
mail-changed-not-you = Richieda subito una nuova password e avvisi { $shop }. Cambi anche la password della Sua casella di posta: qualcuno potrebbe leggere le Sue e-mail.
mail-changed-button = Richiedi una nuova password
mail-changed-why = Riceve questa e-mail perché riguarda la sicurezza del Suo account { $shop }.

## L’indirizzo e-mail è stato modificato

mail-moved-subject = Il Suo indirizzo e-mail per { $shop } è stato modificato
mail-moved-preview = Se non riconosce questa operazione, può annullarla. Scadenza: { $until }.
mail-moved-title = Il Suo indirizzo e-mail è stato modificato
mail-moved-intro = L’indirizzo e-mail del Suo account { $shop } è stato modificato in data { $changed }. Non è più quello a cui inviamo questa e-mail.
mail-moved-not-you = Allora annulli qui la modifica. Il Suo account riavrà questo indirizzo, la password smetterà di funzionare, tutti i dispositivi saranno disconnessi e Le invieremo un link per scegliere una nuova password.
mail-moved-button = Annulla la modifica
mail-moved-life = Il link funziona una sola volta. Scadenza: { $until }. Non inoltri questa e-mail a nessuno.

## È stata richiesta una nuova password, ma l’indirizzo non ha un account

mail-none-subject = Nessun account { $shop } con questo indirizzo
mail-none-preview = Data della richiesta: { $requested }. È stata richiesta una nuova password per un indirizzo senza account.
mail-none-title = Nessun account usa questo indirizzo
mail-none-intro = Per questo indirizzo è stata richiesta una nuova password su { $shop }, ma nessun account lo utilizza.
mail-none-was-you = Forse ha usato un altro indirizzo e-mail per registrarsi. Riprovi con quello.
mail-none-button = Prova un altro indirizzo
mail-none-not-you = Allora non deve fare nulla. Può eliminare questa e-mail.
mail-none-why = Riceve questa e-mail perché qualcuno ha indicato questo indirizzo per richiedere una nuova password su { $shop }.
