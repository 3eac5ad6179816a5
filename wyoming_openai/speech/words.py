"""What a voice says for symbols, and which words matter, by language."""

import re
from functools import lru_cache
from typing import NamedTuple


def base(language: str) -> str:
    """The language without its region: "de" of "de-CH"."""
    tag = language.replace("_", "-").partition("-")[0].lower()
    return {"no": "nb", "nn": "nb", "iw": "he", "yue": "zh", "cmn": "zh", "fil": "tl", "in": "id"}.get(tag, tag)


class Words(NamedTuple):
    """Words for symbols. `{}` is the number; the others stand between two. Empty: the symbol is left out."""

    about: str = "{}"
    plus_minus: str = "±{}"
    less: str = "{}"
    more: str = "{}"
    at_most: str = "≤{}"
    at_least: str = "≥{}"
    power: str = " {}"
    number: str = "{}"
    times: str = "×"
    dot: str = "."
    at: str = ""
    yes: str = ""
    no: str = ""


# about | plus or minus | less | more | at most | at least | power | number | times | dot | at | yes | no
_TABLE = """
af: ongeveer {}|plus of minus {}|minder as {}|meer as {}|hoogstens {}|minstens {}|
     tot die mag {}|nommer {}|maal|punt|by|ja|nee
ar: حوالي {}|زائد أو ناقص {}|أقل من {}|أكثر من {}|على الأكثر {}|على الأقل {}|
     أس {}|رقم {}|ضرب|نقطة|آت|نعم|لا
bg: около {}|плюс минус {}|по-малко от {}|повече от {}|най-много {}|поне {}|
     на степен {}|номер {}|по|точка|маймунско а|да|не
bn: প্রায় {}|প্লাস মাইনাস {}|{} এর কম|{} এর বেশি|সর্বোচ্চ {}|কমপক্ষে {}|
     এর ঘাত {}|নম্বর {}|গুণ|ডট|অ্যাট|হ্যাঁ|না
ca: aproximadament {}|més o menys {}|menys de {}|més de {}|com a màxim {}|com a mínim {}|
     elevat a {}|número {}|per|punt|arrova|sí|no
cs: asi {}|plus minus {}|méně než {}|více než {}|nejvýše {}|nejméně {}|
     na {}|číslo {}|krát|tečka|zavináč|ano|ne
da: cirka {}|plus minus {}|mindre end {}|mere end {}|højst {}|mindst {}|
     i {}.|nummer {}|gange|punktum|snabel-a|ja|nej
de: etwa {}|plus minus {}|weniger als {}|mehr als {}|höchstens {}|mindestens {}|
     hoch {}|Nummer {}|mal|Punkt|at|ja|nein
el: περίπου {}|συν πλην {}|λιγότερο από {}|περισσότερο από {}|το πολύ {}|τουλάχιστον {}|
     στη δύναμη {}|αριθμός {}|επί|τελεία|παπάκι|ναι|όχι
en: about {}|plus or minus {}|less than {}|more than {}|at most {}|at least {}|
     to the power of {}|number {}|times|dot|at|yes|no
es: aproximadamente {}|más o menos {}|menos de {}|más de {}|como máximo {}|como mínimo {}|
     elevado a {}|número {}|por|punto|arroba|sí|no
et: umbes {}|pluss miinus {}|alla {}|üle {}|kõige rohkem {}|vähemalt {}|
     astmes {}|number {}|korda|punkt|ät|jah|ei
fa: حدود {}|مثبت منفی {}|کمتر از {}|بیشتر از {}|حداکثر {}|حداقل {}|
     به توان {}|شماره {}|ضربدر|نقطه|ات|بله|نه
fi: noin {}|plus miinus {}|alle {}|yli {}|enintään {}|vähintään {}|
     potenssiin {}|numero {}|kertaa|piste|ät|kyllä|ei
fr: environ {}|plus ou moins {}|moins de {}|plus de {}|au plus {}|au moins {}|
     puissance {}|numéro {}|fois|point|arobase|oui|non
gl: aproximadamente {}|máis ou menos {}|menos de {}|máis de {}|como máximo {}|como mínimo {}|
     elevado a {}|número {}|por|punto|arroba|si|non
he: בערך {}|פלוס מינוס {}|פחות מ-{}|יותר מ-{}|לכל היותר {}|לפחות {}|
     בחזקת {}|מספר {}|כפול|נקודה|שטרודל|כן|לא
hi: लगभग {}|प्लस माइनस {}|{} से कम|{} से ज़्यादा|ज़्यादा से ज़्यादा {}|कम से कम {}|
     की घात {}|नंबर {}|गुणा|डॉट|ऐट|हाँ|नहीं
hr: oko {}|plus minus {}|manje od {}|više od {}|najviše {}|najmanje {}|
     na {}|broj {}|puta|točka|et|da|ne
hu: körülbelül {}|plusz-mínusz {}|kevesebb mint {}|több mint {}|legfeljebb {}|legalább {}|
     hatvány {}|{}. szám|szorozva|pont|kukac|igen|nem
id: sekitar {}|plus minus {}|kurang dari {}|lebih dari {}|paling banyak {}|paling sedikit {}|
     pangkat {}|nomor {}|kali|titik|at|ya|tidak
it: circa {}|più o meno {}|meno di {}|più di {}|al massimo {}|almeno {}|
     alla {}|numero {}|per|punto|chiocciola|sì|no
ja: 約{}|プラスマイナス{}|{}未満|{}超|{}以下|{}以上|
    の{}乗|{}番|かける|ドット|アットマーク|はい|いいえ
ko: 약 {}|플러스 마이너스 {}|{} 미만|{} 초과|{} 이하|{} 이상|
    의 {}제곱|{}번|곱하기|점|골뱅이|예|아니요
lt: maždaug {}|plius minus {}|mažiau nei {}|daugiau nei {}|daugiausia {}|mažiausiai {}|
     laipsniu {}|numeris {}|kart|taškas|eta|taip|ne
lv: apmēram {}|plus mīnus {}|mazāk par {}|vairāk par {}|ne vairāk kā {}|vismaz {}|
     pakāpē {}|numurs {}|reiz|punkts|et|jā|nē
ms: kira-kira {}|campur tolak {}|kurang daripada {}|lebih daripada {}|paling banyak {}|sekurang-kurangnya {}|
     kuasa {}|nombor {}|darab|titik|at|ya|tidak
nb: cirka {}|pluss minus {}|mindre enn {}|mer enn {}|høyst {}|minst {}|
     opphøyd i {}|nummer {}|ganger|punktum|krøllalfa|ja|nei
nl: ongeveer {}|plus of min {}|minder dan {}|meer dan {}|hoogstens {}|minstens {}|
     tot de macht {}|nummer {}|keer|punt|apenstaartje|ja|nee
pl: około {}|plus minus {}|mniej niż {}|więcej niż {}|najwyżej {}|co najmniej {}|
     do potęgi {}|numer {}|razy|kropka|małpa|tak|nie
pt: cerca de {}|mais ou menos {}|menos de {}|mais de {}|no máximo {}|no mínimo {}|
     elevado a {}|número {}|vezes|ponto|arroba|sim|não
ro: aproximativ {}|plus minus {}|mai puțin de {}|mai mult de {}|cel mult {}|cel puțin {}|
     la puterea {}|numărul {}|ori|punct|arond|da|nu
ru: около {}|плюс-минус {}|меньше {}|больше {}|не больше {}|не меньше {}|
     в степени {}|номер {}|умножить на|точка|собака|да|нет
sk: asi {}|plus mínus {}|menej ako {}|viac ako {}|najviac {}|najmenej {}|
     na {}|číslo {}|krát|bodka|zavináč|áno|nie
sl: približno {}|plus minus {}|manj kot {}|več kot {}|največ {}|najmanj {}|
     na {}|številka {}|krat|pika|afna|da|ne
sr: око {}|плус минус {}|мање од {}|више од {}|највише {}|најмање {}|
     на {}|број {}|пута|тачка|ет|да|не
sv: cirka {}|plus minus {}|mindre än {}|mer än {}|högst {}|minst {}|
     upphöjt till {}|nummer {}|gånger|punkt|snabel-a|ja|nej
sw: takriban {}|kuongeza au kutoa {}|chini ya {}|zaidi ya {}|si zaidi ya {}|angalau {}|
     kipeo {}|namba {}|mara|nukta|at|ndiyo|hapana
th: ประมาณ {}|บวกลบ {}|น้อยกว่า {}|มากกว่า {}|ไม่เกิน {}|อย่างน้อย {}|
     ยกกำลัง {}|หมายเลข {}|คูณ|จุด|แอท|ใช่|ไม่ใช่
tr: yaklaşık {}|artı eksi {}|{} altı|{} üstü|en fazla {}|en az {}|
     üzeri {}|numara {}|çarpı|nokta|et|evet|hayır
uk: близько {}|плюс-мінус {}|менше {}|більше {}|не більше {}|не менше {}|
     у степені {}|номер {}|помножити на|крапка|равлик|так|ні
ur: تقریباً {}|جمع منفی {}|{} سے کم|{} سے زیادہ|زیادہ سے زیادہ {}|کم از کم {}|
     کی طاقت {}|نمبر {}|ضرب|ڈاٹ|ایٹ|ہاں|نہیں
vi: khoảng {}|cộng trừ {}|dưới {}|trên {}|tối đa {}|ít nhất {}|
     mũ {}|số {}|nhân|chấm|a còng|có|không
zh: 约{}|正负{}|小于{}|大于{}|至多{}|至少{}|
    的{}次方|{}号|乘以|点|艾特|是|否
"""
_WORDS = {row[:2]: Words(*row[4:].replace("\n    ", "").split("|")) for row in re.split(r"\n(?=\w)", _TABLE.strip())}


def words(language: str) -> Words:
    """The words of a language; a language we do not know leaves most symbols out."""
    return _WORDS.get(base(language), Words())


class Marks(NamedTuple):
    """Punctuation of a script, and what stands after it."""

    stop: str = "."
    comma: str = ","
    """Between items."""
    colon: str = ":"
    gap: str = " "
    clause: str = ","
    """Between parts of a sentence."""


_HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_KANA = "\u3040-\u30ff\u31f0-\u31ff"
_JAPANESE = Marks("。", "、", "：", "", "、")
_SCRIPTS = (
    (f"[{_KANA}]", _JAPANESE),
    (f"[{_HAN}]", Marks("。", "、", "：", "", "，")),
    ("[\u0e00-\u0eff]", Marks("", "", ":", " ", "")),  # Thai, Lao: a blank is the pause
    ("[\u0900-\u097f\u0980-\u09ff\u0a00-\u0a7f\u0b00-\u0b7f]", Marks("।")),
    ("[\u0600-\u06ff\u0750-\u077f\ufb50-\ufdff\ufe70-\ufeff]", Marks(".", "،", ":", " ", "،")),
    ("[\u1200-\u139f]", Marks("።", "፣", ":", " ", "፣")),
    ("[\u0530-\u058f]", Marks("։")),
    ("[\u1000-\u109f]", Marks("။", "၊", ":", " ", "၊")),
    ("[\u1780-\u17ff]", Marks("។")),
    ("[\u0f00-\u0fff]", Marks("།", "།", ":", " ", "།")),
)
_BY_SCRIPT = tuple((re.compile(script), marks) for script, marks in _SCRIPTS)
_BY_LANGUAGE = {"ur": Marks("۔", "،", ":", " ", "،"), "mr": Marks()}

WIDE_LETTER = re.compile(rf"[{_HAN}{_KANA}\u3000-\u303f\uff00-\uff65]")
"""A character that wants no blank beside it."""


def marks(text: str, language: str) -> Marks:
    """The punctuation that fits the end of this text."""
    for script, found in _BY_SCRIPT:
        if script.search(text[-80:]):
            if not found.gap:
                return _JAPANESE if base(language) == "ja" else found
            return _BY_LANGUAGE.get(base(language), found)
    return Marks()


_LABELS = (
    "(?:(?:ai|home|voice|chat|virtual) ){0,2}assistant|smart ?home(?: assistant)?|smart house|(?:chat)?bot|ai|chatgpt|"
    "(?:my |the |final |short )?(?:answer|response|reply)|"
    "(?:sprach)?assistent(?:in|e|ka|ă)?|(?:kurze |endgültige )?antwort|intelligentes zuhause|"
    "assistant(?:e)?(?: vocal| virtuel)?|réponse(?: finale)?|maison (?:connectée|intelligente)|"
    "asistente?(?: virtual)?|asistentul?|respuesta(?: final)?|casa intel+igente|"
    "assistente(?: virtuale?)?|risposta(?: finale)?|resposta(?: final)?|resposta|"
    "(?:slim huis|antwoord|asystent(?:ka)?|odpowiedź|inteligentny dom|svar|smart hjem|smart hem|vastaus|avustaja|"
    "odpověď|odpoveď|asistent|asszisztens|válasz|răspuns|odgovor|pomočnik|asistan|yanıt|cevap|akıllı ev|trợ lý|"
    "câu trả lời|asisten|jawaban|rumah pintar)|"
    "ассистент|помощник|ответ|умный дом|помічник|асистент|відповідь|отговор|βοηθός|απάντηση|"
    "(?:智能|智慧|语音|語音)?(?:助手|助理|家居)|(?:最终)?(?:答案|回答|回复|回覆)|アシスタント|応答|答え|スマートホーム|"
    "어시스턴트|비서|답변|스마트 ?홈|"
    "المساعد|الإجابة|الجواب|الرد|المنزل الذكي|دستیار|پاسخ|העוזר|עוזר|תשובה|הבית החכם|"
    "सहायक|उत्तर|जवाब|स्मार्ट होम|ผู้ช่วย|คำตอบ|บ้านอัจฉริยะ"
)
LABEL = re.compile(rf"\s*(?:{_LABELS})\s?[:：]\s*", re.IGNORECASE)
"""Who speaks, where a model writes its reply like a play."""

ANSWER_LABEL = re.compile(
    r"\s*(?:(?:final |my |short )?(?:answer|response|reply)|(?:endgültige )?antwort|réponse(?: finale)?|"
    r"respuesta(?: final)?|risposta(?: finale)?|resposta(?: final)?|antwoord|odpowiedź|ответ|"
    r"最终答案|最终回答|答案|回答|回复|답변)\s?[:：]\s*",
    re.IGNORECASE,
)
REASONING_LABEL = re.compile(
    r"\s*(?:thought|thoughts|thinking|thought process|thinking process|my thoughts?|reasoning|chain of thought|"
    r"analysis|internal monologue|gedanken(?:gang)?|überlegung(?:en)?|raisonnement|réflexion|razonamiento|"
    r"pensamiento|ragionamento|raciocínio|redenering|rozumowanie|рассуждени[ея]|размышлени[ея]|мысли|"
    r"思考|思考过程|推理|思路|考え|사고)(?: process)?\s?[:：]",
    re.IGNORECASE,
)

_USER = (
    "user|benutzer|nutzer|anwender|utilisateur|usuari|utente|utilizador|gebruiker|użytkownik|пользовател|користувач|"
    "uživatel|používateľ|felhasználó|utilizator|kullanıcı|käyttäjä|bruger|bruker|användare|χρήστης|pengguna|"
    "người dùng|用户|用戶|使用者|ユーザ|사용자|유저|المستخدم|کاربر|המשתמש|उपयोगकर्ता|यूज़र|ผู้ใช้"
)
MUSING = re.compile(
    rf"\s*(?:ok(?:ay)?|alright|all right|right|hm+|h+m+|um+|well|so|now|wait|first|let me|let's|let us|we|"
    rf"i (?:need|have to|should|must|want|recall)|looking|based|thinking|the (?:question|request|answer)|"
    rf"to answer|given|they|need|must|check|"
    rf"also|gut|also gut|zuerst|ich (?:muss|soll|sollte|brauche|denke)|die frage|bon|d'accord|voyons|je dois|alors|"
    rf"bien|vale|veamos|debo|necesito|primero|allora|vediamo|devo|dunque|então|preciso|oké|goed|ik moet|eerst|"
    rf"dobrze|muszę|najpierw|хорошо|итак|мне нужно|нужно|надо|так|сначала|сейчас|良し|好的|好|嗯|首先|我需要|我应该|"
    rf"我要|让我|現在|现在|根据|まず|さて|えっと|えーと|なるほど|ふむ|うーん|음|먼저|좋아|حسن|טוב|ठीक|अच्छा)(?!\w)"
    rf"|\s*(?:好的|嗯|首先|我需要|我应该|让我|现在|根据|まず|さて)"
    rf"|.*(?:{_USER})"
    rf"|.*\b(?:i (?:need|should|must|have) to|respond|reply|answer|instructions?|system (?:message|prompt)|prompt|"
    rf"tools?|the question|query|asks?|asked|asking|wants? to know)\b",
    re.IGNORECASE | re.DOTALL,
)
"""A first sentence that may be thinking aloud: some servers leave out the tag that opens it."""
THINKING = re.compile(rf"\W{{0,3}}.{{0,25}}(?:{_USER})", re.IGNORECASE)
"""A first sentence that speaks of the person who asked is not said to this person."""

_ACTIONS = {
    "en": "smil|grin|laugh|chuckl|giggl|wink|nods|nodding|sigh|cough|clears|clearing|gasp|yawn|shrug|waves|waving|bows|"
    "bowing|dances|dancing|claps|clapping|cheers|hums|humming|pauses|pausing|whispers|whispering|jumps|jumping|hops|"
    "hopping|twirl|tips|tipping|beep|bleep|boop|whirr|sniff|snort|groan|moan|gulp|blink|scratches|thinks|ponders|"
    "pondering|rolls|rolling|raises|raising|leans|leaning|adjusts|strokes|taps|tapping|snaps|flips|spins|spinning|"
    "bounces|beams|blush|frown|smirk|sobs|cries|singing|sings|drumroll|stretches|salutes|curtsies|shakes|holds|looks|"
    "looking|points|pointing|rubs|pats|clicks|leaps|runs|enters|exits|turns|takes|puts",
    "de": "lach|lacht|lächel|grins|zwinker|nick|seufz|hust|räusper|kicher|schmunzel|winkt|winkend|flüster|verbeug|hüpf|"
    "springt|pfeift|singt|gähn|klatscht|pause",
    "fr": "rire|rires|rit|riant|sourit|sourire|souriant|soupir|"
    "tousse|clin|hoche|glousse|chuchot|ricane|salue|saute|bâille",
    "es": "ríe|rie|risa|risas|riendo|sonrí|sonrie|guiña|suspir|tose|asiente|carcajad|susurr|saluda|salta|bostez",
    "it": "ride|risata|risate|ridendo|sorrid|strizza|occhiolino|"
    "sospir|tossisc|annuisc|ridacchi|sussurr|saluta|salta|sbadigli",
    "pt": "ri|rindo|risos|risada|risadas|sorri|sorrindo|pisca|"
    "piscando|suspir|tosse|acena|gargalh|sussurr|salta|pula|boceja",
    "nl": "lach|glimlach|grijns|knipoog|zucht|hoest|knikt|giechel|grinnik|fluister|zwaait|springt|gaapt|schraapt",
    "pl": "śmie|uśmiech|mruga|puszcza|wzdych|kaszl|kiwa|chichocz|szepcz|macha|skacze|ziewa|śmiech",
    "ru": "сме|смё|улыб|ухмыл|подмиг|кив|вздых|вздох|кашл|хихик|хохоч|шёпот|шепч|маш|прыг|зева|смех",
    "uk": "смі|усміх|посміх|підморг|кива|зітх|кашл|хихик|шепоч|маха|стриб|позіх",
    "cs": "směje|smích|usmív|úsměv|mrká|mrkne|povzdech|kašl|kývne|přikyv|chichot|šept|mává|skáče",
    "sk": "smeje|smiech|usmieva|úsmev|žmurk|vzdych|kašl|prikyv|chichot|šepk|máva|skáče",
    "sv": "skratt|ler|leende|blinkar|suckar|hostar|nickar|fnissar|viskar|vinkar|hoppar|gäspar",
    "da": "griner|grin|ler|smiler|blinker|sukker|hoster|nikker|fniser|hvisker|vinker|hopper|gaber",
    "nb": "ler|latter|smiler|blunker|sukker|hoster|nikker|fniser|hvisker|vinker|hopper|gjesper",
    "fi": "naura|hymy|virnist|iskee|huoka|yskä|nyökkä|kikat|kuiska|vilkut|hypp",
    "hu": "nevet|mosoly|kacsint|sóhaj|köhö|bólint|kuncog|suttog|integet|ugrik",
    "ro": "râde|râs|zâmb|face cu ochiul|oftea|tușe|chicot|șopt",
    "tr": "gülüyor|güler|gülüms|kahkaha|tebess|göz kırp|iç çek|öksür|başını salla|kıkır|fısılda",
    "el": "γελ|χαμογελ|κλείνει το μάτι|αναστεν|βήχ|νεύ|ψιθυρ",
    "id": "tertawa|tersenyum|mengedip|menghela|batuk|mengangguk|terkekeh|berbisik",
    "vi": "cười|mỉm cười|nháy mắt|thở dài|ho|gật đầu",
    "ar": "يضحك|ضحك|يبتسم|ابتسام|يغمز|يتنهد|يسعل|يومئ|يهمس|تضحك|تبتسم",
    "fa": "می‌خندد|می خندد|خنده|لبخند|چشمک|آه می",
    "he": "צוחק|צחוק|מחייך|חיוך|קורץ|קריצה|נאנח|אנחה|משתעל|מהנהן|לוחש",
    "hi": "हँस|हंस|मुस्कु|मुस्करा|आँख मार|आंख मार|खाँस|आह",
    "th": "หัวเราะ|ยิ้ม|ขยิบตา|ถอนหายใจ|ไอ|พยักหน้า|กระซิบ",
    "ja": "笑|微笑|にっこり|にこ|ニコ|ウインク|ウィンク|ため息|溜息|うなず|頷|咳|ささや|手を振|くす|クス|ふふ",
    "zh": "笑|微笑|大笑|叹气|嘆氣|叹|点头|點頭|眨眼|咳|轻笑|輕笑|挥手|揮手|耸肩|聳肩|鞠躬|眨|坏笑|窃笑|偷笑|低语|耳语",
    "ko": "웃|미소|윙크|한숨|끄덕|기침|속삭|손을 흔|하하",
}
_SOUNDS = (
    "smil|grin|laugh|laught|chuckl|giggl|wink|nods|nodding|sigh|cough|clears? |clearing|gasp|yawn|shrug|paus|whisper|"
    "beep|whirr|singing|music|applause|sniff|snort|groan|blush|smirk|sobs|humming"
)


def action(language: str) -> re.Pattern[str]:
    """Matches what an actor would do and not say, as the words between two asterisks."""
    return _action(_ACTIONS.get(base(language), ""))


@lru_cache(maxsize=8)
def _action(words: str) -> re.Pattern[str]:
    return _any_of(f"{_ACTIONS['en']}|{words}")


def sound(language: str) -> re.Pattern[str]:
    """The same in round or square brackets, where ordinary words stand as well: fewer roots."""
    return _sound("" if base(language) == "en" else f"|{_ACTIONS.get(base(language), '')}")


@lru_cache(maxsize=8)
def _sound(words: str) -> re.Pattern[str]:
    return _any_of(_SOUNDS + words)


def _any_of(roots: str) -> re.Pattern[str]:
    return re.compile("|".join(_stem(root) for root in roots.split("|") if root), re.IGNORECASE)


def _stem(root: str) -> str:
    """A short root stands as a whole word ("ri", "hum"), a longer one may go on ("laugh", "laughing")."""
    if not re.match("[a-zà-ɏ]", root):
        return root
    return rf"{root}(?:s|es|ing|ed)?(?!\w)" if len(root) < 4 else rf"{root}\w{{0,6}}(?!\w)"
