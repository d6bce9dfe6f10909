"""What to think of when a plan is written, for each of the commonest conditions. They are questions for people who know
the child: nothing here is an answer, and nothing is filled in from it. Pure.
"""

from handrail.plans.content import Condition

PROMPTS: dict[str, dict[str, str]] = {
    Condition.ASTHMA: {
        "triggers": "Cold air, exercise, pollen, animals, dust, smoke, stress?",
        "symptoms": "Cough at night, tight chest, less play? What does the child say when it starts?",
        "treatment": "Preventer at home? Reliever and spacer at school? Has the clinic given an asthma action plan?",
        "needs": "Where is the reliever, and can the child get at it at once? Consent for the school’s spare inhaler?",
        "trips": "Inhaler and spacer for PE, playground and coach?",
    },
    Condition.ALLERGY: {
        "triggers": "Which foods, stings, medicines or materials? By touch, by mouth, in the air?",
        "symptoms": "What do mild and severe reactions look like in this child?",
        "treatment": "Is there an allergy action plan from the clinic? How many pens, and where is each?",
        "allergy": "Kitchen, packed lunches, cooking, rewards, parties, hand washing, labels?",
        "needs": "Who checks menus and labels? Where does the child eat? Consent for the school’s spare pen?",
        "know": "Kitchen, midday staff, supply teachers, clubs, drivers?",
        "trips": "Who carries both pens? Food on the coach and at the place? Phone signal?",
    },
    Condition.DIABETES: {
        "triggers": "What makes glucose go low or high: exercise, heat, illness, missed food, excitement?",
        "symptoms": "How does this child show a low, and a high?",
        "treatment": "Injections or pump? Who counts carbohydrates? What did the diabetes nurse write?",
        "technology": "Sensor, pump, phone or watch: alarms, charging, and who else sees the readings?",
        "needs": "Tests and snacks in class, a clean place, toilet and drink at any time?",
        "trips": "Spare insulin, sensor, food and glucose? Time zones, swimming, overnight?",
    },
    Condition.EPILEPSY: {
        "triggers": "Tiredness, illness, missed medicine, flashing lights, heat, stress?",
        "symptoms": "What happens before, during and after? How long does it usually last?",
        "seizures": "Each kind of seizure: what it looks like, how long, what helps, when rescue medicine is given?",
        "treatment": "Daily medicine? Rescue medicine, and who is trained to give it?",
        "needs": "Where does the child rest afterwards? Bathing, climbing, workshop, screens?",
        "trips": "Swimming, heights, water? Who carries the rescue medicine?",
    },
    Condition.SICKLE_CELL: {
        "triggers": "Cold, heat, thirst, exercise, infection, stress?",
        "symptoms": "Where does pain begin? What are the signs of a crisis, a fever, a stroke?",
        "treatment": "Which pain relief, how often, and when to ring the clinic?",
        "needs": "Water at all times, toilet breaks, warm clothes, indoors in cold breaks, rest?",
        "learning": "How is work caught up after days in hospital?",
        "trips": "Swimming in cold water, altitude, long walks, flights?",
    },
    Condition.CONTINENCE: {
        "symptoms": "What is usual, and what is a sign of infection or blockage?",
        "treatment": "Catheter, stoma, medicine, timed toileting? Who taught the child?",
        "needs": "Which toilet, with what in it? Spare clothes, disposal, time out without asking?",
        "level": "What does the child do alone, and who helps with what? How is privacy kept?",
        "trusted": "Who may know? What may classmates be told?",
        "trips": "Toilets on the way, overnight, swimming?",
    },
    Condition.GASTRIC_FEEDING: {
        "treatment": "Which tube, which feed, how much, how fast, at what times? What did the dietitian write?",
        "symptoms": "Signs of a blocked or displaced tube, of reflux, of infection at the site?",
        "needs": "Where is the feed given and stored? Position during and after? Who cleans the equipment?",
        "training": "Who trained staff on this tube, and who signed that they are competent?",
        "responsible": "What is done if the tube comes out, and how soon?",
        "trips": "Spare tube and feed, power for the pump, nearest hospital?",
    },
    Condition.HEART: {
        "triggers": "Exercise, heat, thirst, infection, shock?",
        "symptoms": "Colour, breath, dizziness, palpitations, fainting: what is usual for this child?",
        "treatment": "Medicine, device, operations to come? What did the cardiologist allow?",
        "needs": "Limits in PE, rest, drinks, stairs, cold? Where is the nearest defibrillator?",
        "trips": "Distance to help, altitude, theme-park rides?",
    },
    Condition.ARTHRITIS: {
        "triggers": "Cold, sitting still, overuse, illness?",
        "symptoms": "Stiff mornings, swollen joints, sore eyes, tiredness: how does a flare show?",
        "treatment": "Medicine that weakens defences? Injections, eye checks, physiotherapy?",
        "needs": "Pens and keyboards, seating, moving about, lift pass, late start, infections in class?",
        "learning": "Extra time, rest breaks, a scribe?",
        "trips": "Walking, carrying, stairs, cold?",
    },
    Condition.MENTAL_HEALTH: {
        "triggers": "Places, people, times, changes, tests, noise?",
        "symptoms": "What do staff see first? What does the child say helps?",
        "treatment": "Who outside school is involved? Medicine and its effects on the day?",
        "needs": "A safe place, a person, a signal, a way out of lessons?",
        "learning": "Part-time timetable, exams, return after absence?",
        "responsible": "Who is called, and in what order, if the child is not safe?",
        "trusted": "Who may know what? What does the child want kept private?",
    },
}


def prompt_for(condition: str, question: str) -> str:
    """What to think of for a question, or nothing."""
    return PROMPTS.get(condition, {}).get(question, "")
