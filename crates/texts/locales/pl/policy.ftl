policy-length = { $count ->
    [few] Co najmniej { $count } znaki. Dozwolone są wszystkie znaki, także spacje. Kilka słów jedno po drugim tworzy dobre hasło.
   *[other] Co najmniej { $count } znaków. Dozwolone są wszystkie znaki, także spacje. Kilka słów jedno po drugim tworzy dobre hasło.
}
policy-rules = Popularne hasła, proste wzory, Państwa adres e-mail i nazwa sklepu nie są akceptowane.
policy-too-short = { $count ->
    [few] Hasło jest za krótkie. Musi mieć co najmniej { $count } znaki.
   *[other] Hasło jest za krótkie. Musi mieć co najmniej { $count } znaków.
}
policy-contains-email = Hasło jest Państwa adresem e-mail lub niewiele się od niego różni. Prosimy wybrać inne.
policy-contains-shop-name = Hasło jest nazwą sklepu lub niewiele się od niej różni. Prosimy wybrać inne.
policy-too-simple = Hasło jest tylko powtórzeniem lub ciągiem znaków. Prosimy wybrać inne.
policy-too-common = Wiele osób używa tego hasła, dlatego jest odgadywane jako jedno z pierwszych. Prosimy wybrać inne.
policy-hint-common-password = To hasło jest bardzo popularne.
policy-hint-like-common-password = To hasło przypomina bardzo popularne hasło.
policy-hint-single-word = Pojedyncze słowo łatwo odgadnąć.
policy-hint-names = Imiona i nazwiska łatwo odgadnąć.
policy-hint-dates = Daty i lata łatwo odgadnąć.
policy-hint-repeated-character = Powtórzone znaki, takie jak „aaa”, łatwo odgadnąć.
policy-hint-repeated-word = Powtórzenie słowa prawie nie utrudnia odgadnięcia.
policy-hint-sequence = Ciągi takie jak „abc” lub „6543” łatwo odgadnąć.
policy-hint-keyboard = Sąsiednie klawisze, takie jak „qwerty”, łatwo odgadnąć.
policy-hint-use-several-words = Prosimy użyć kilku słów, które nie są ze sobą związane.
policy-hint-add-words = Prosimy dodać jedno lub dwa słowa, najlepiej nietypowe.
policy-hint-no-symbols-needed = Symbole, cyfry i wielkie litery nie są potrzebne.
policy-hint-capitals = Wielkie litery prawie nie utrudniają odgadnięcia.
policy-hint-backwards = Słowa pisane wspak są prawie tak samo łatwe do odgadnięcia.
policy-hint-substitutions = Zastępowanie liter, na przykład „@” zamiast „a”, prawie nie utrudnia odgadnięcia.
